/** The npm package's path to its binary; it brings no types. */
declare module "workerd" {
  const path: string;
  export default path;
}
