/** Where commands start, and what HOME is, in every sandbox. */
export const HOME = "/home/user";
