/** The version of this program: that of the package. Also where there is no file to read it from, so a test holds it to that. */
export const TROUPE_VERSION = "0.1.0";
