/** Colours that scripts need; all others are custom properties in style.css. */
export const LINE_COLORS = ["#22c1a6", "#f5b100", "#ff6b6b", "#4ea8ff", "#c084fc", "#a3d94d"] as const;

export function paletteColor(index: number): string {
  return LINE_COLORS[index % LINE_COLORS.length] ?? LINE_COLORS[0];
}

/** The first colour of the palette that no line has yet. */
export function freeColor(taken: readonly string[]): string {
  return LINE_COLORS.find((color) => !taken.includes(color)) ?? paletteColor(taken.length);
}

/** A colour of the style sheet, as the canvas of the chart needs it. */
export function cssColor(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
