declare module 'virtual:offline-page' {
  /** The page, with `%TITLE%` (twice) and `%SCENE%` to be filled in. */
  const page: string;
  export default page;
}
