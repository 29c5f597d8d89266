/** Colours of classes, the same in every picture and as in the pictures that Sightline draws itself. */
const CLASS_COLORS: Record<string, string> = {
  person: "#4caf50", bicycle: "#00aab4", car: "#2196f3", motorbike: "#9c27b0", bus: "#ff5722", truck: "#ffc13b",
  mask: "#00a0a0", no_mask: "#e63c3c", mask_incorrect: "#f5aa00",
};

/** FNV-1a over the UTF-8 of a name (Fowler, Noll and Vo), its bits mixed once more, as the server reckons it. */
function hashOf(name: string): number {
  const sum = new TextEncoder().encode(name).reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 0x811c9dc5);
  return (sum ^ (sum >>> 15)) >>> 0;
}

/** Gives a class's colour: of any other name always the same, one of 72 hues in three shades. */
export function classColor(name: string): string {
  if (Object.hasOwn(CLASS_COLORS, name)) return CLASS_COLORS[name] ?? "";
  const hash = hashOf(name);
  const hue = (hash % 72) * 5;
  const light = [0.42, 0.54, 0.66][Math.floor(hash / 72) % 3] ?? 0;
  const spread = 0.65 * Math.min(light, 1 - light);
  const part = (at: number): string => {
    const place = (at + hue / 30) % 12;
    return Math.floor(255 * (light - spread * Math.max(-1, Math.min(place - 3, 9 - place, 1))) + 0.5).toString(16).padStart(2, "0");
  };
  return `#${part(0)}${part(8)}${part(4)}`;
}

/** Gives black or white, whichever can be read on a colour `#rrggbb`. */
export function inkOn(color: string): string {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  return red * 0.299 + green * 0.587 + blue * 0.114 > 150 ? "#101418" : "#ffffff";
}
