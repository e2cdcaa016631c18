/** Trouble of a tap in words of our own: names and hosts only, nothing that anybody said, so that it may always stand in the log. */
export class TapTrouble extends Error {
  override readonly name = 'TapTrouble';
}
