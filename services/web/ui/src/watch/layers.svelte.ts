import { keep, kept } from "../app/kept.ts";

/** What is drawn over a live picture; this browser remembers what was switched. */
export const LAYERS = ["boxes", "labels", "lines", "trails"] as const;
export type Layer = (typeof LAYERS)[number];
export type Layers = Record<Layer, boolean>;

const KEY = "layers";
const FIRST: Layers = { boxes: true, labels: true, lines: true, trails: false };

function found(): Layers {
  const text = kept(KEY);
  if (text === null) return { ...FIRST };
  const names = text.split(" ");
  return { boxes: names.includes("boxes"), labels: names.includes("labels"), lines: names.includes("lines"), trails: names.includes("trails") };
}

export const layers = $state<Layers>(found());

/** Shows a layer, or leaves it out. */
export function toggle(layer: Layer): void {
  layers[layer] = !layers[layer];
  keep(KEY, LAYERS.filter((name) => layers[name]).join(" "));
}
