/** Tiles of a wall, page by page. */
export const TILES_A_PAGE = 16;

export interface Page<T> { items: T[]; page: number; pages: number }

/** Gives the page of a number, counted from 1; the nearest one where there is none of that number. */
export function pageOf<T>(all: readonly T[], wanted: number): Page<T> {
  const pages = Math.max(1, Math.ceil(all.length / TILES_A_PAGE));
  const page = Math.min(pages, Math.max(1, Number.isInteger(wanted) ? wanted : 1));
  return { items: all.slice((page - 1) * TILES_A_PAGE, page * TILES_A_PAGE), page, pages };
}

interface Named { id: string; name: string }

/** By name as people count, so that a tile stays where it is: `Gate 2` before `Gate 10`. */
export function ordered<T extends Named>(all: readonly T[]): T[] {
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  return [...all].sort((a, b) => collator.compare(a.name, b.name) || (a.id < b.id ? -1 : 1));
}
