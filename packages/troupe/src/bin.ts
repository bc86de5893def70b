/** The executable's program; `bin.js` beside `dist` is the file that npm links. */
export {} from "@troupe/cli/bin";
