/** Widths that pictures are asked for in: few, so that viewers share what the server encodes. */
const WIDTHS = [480, 640, 960, 1280, 1920] as const;

export const widthFor = (pixels: number): number => WIDTHS.find((width) => width >= pixels) ?? WIDTHS[WIDTHS.length - 1] ?? 1920;
