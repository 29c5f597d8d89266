/** A list that stands still while somebody reads it, and what has come since. Pure. */
interface Item { id: string }

/** How many of the latest are not in what is shown; `isMore` where there may be further ones between. */
export function comeSince(shown: readonly Item[], latest: readonly Item[]): { count: number; isMore: boolean } {
  const known = new Set(shown.map((item) => item.id));
  const first = latest.findIndex((item) => known.has(item.id));
  const fresh = latest.filter((item, index) => !known.has(item.id) && (first < 0 || index < first));
  return { count: fresh.length, isMore: first < 0 && shown.length > 0 && fresh.length > 0 };
}
