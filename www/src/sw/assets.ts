// One file of the page as the service worker knows it.

export interface Asset {
  /** Relative to the folder of the page. */
  url: string;
  /** Its hash, as subresource integrity has it. */
  integrity: string;
}
