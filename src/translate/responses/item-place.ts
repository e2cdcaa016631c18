/** Where the server says an item stands; either may be missing, and both may change. */
export interface ItemPlace {
  readonly id: string | undefined;
  readonly index: number | undefined;
}
