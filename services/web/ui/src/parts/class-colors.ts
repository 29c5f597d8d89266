/** Colours of classes, the same in every picture and as in the pictures that Sightline draws itself. */
const CLASS_COLORS: Record<string, string> = {
  person: "#4caf50", bicycle: "#00aab4", car: "#2196f3", motorbike: "#9c27b0", bus: "#ff5722", truck: "#ffc13b",
  mask: "#00a0a0", no_mask: "#e63c3c", mask_incorrect: "#f5aa00",
};
const OTHERS = ["#607d8b", "#e91e8f", "#8bc34a", "#7c6cf2", "#c0843c", "#26c6a2", "#d4563e", "#5c8fd6"] as const;

/** Gives a class's colour; one of a model that the page does not know has always the same, too. */
export function classColor(name: string): string {
  const known = CLASS_COLORS[name];
  if (known) return known;
  const hash = [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) >>> 0, 7);
  return OTHERS[hash % OTHERS.length] ?? OTHERS[0];
}

/** Gives black or white, whichever can be read on a colour `#rrggbb`. */
export function inkOn(color: string): string {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  return red * 0.299 + green * 0.587 + blue * 0.114 > 150 ? "#101418" : "#ffffff";
}
