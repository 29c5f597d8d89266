/** Colours of lines: told apart on a picture, and from one another by most who see colours differently. */
export const LINE_COLORS = ["#22c1a6", "#f5b100", "#ff6b6b", "#4ea8ff", "#c084fc", "#a3d94d"] as const;

/** Distance of red, green and blue, 0 to 255 each, below which two colours look the same; the palette's are 100 apart. */
const ALIKE = 60;

/** The first colour of the palette that no line has yet, nor one that looks like it. */
export function freeColor(taken: readonly string[]): string {
  const free = LINE_COLORS.find((color) => !taken.some((other) => looksLike(color, other)));
  return free ?? LINE_COLORS[taken.length % LINE_COLORS.length] ?? LINE_COLORS[0];
}

/** Whether two colours, both `#rrggbb`, lie so close together that a person takes one for the other. */
function looksLike(one: string, other: string): boolean {
  const [a, b] = [channels(one), channels(other)];
  return Math.hypot(...a.map((value, index) => value - (b[index] ?? 0))) < ALIKE;
}

const channels = (color: string): number[] => [1, 3, 5].map((start) => parseInt(color.slice(start, start + 2), 16));
