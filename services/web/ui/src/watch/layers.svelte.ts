import { keep, kept } from "../app/kept.ts";
import { LAYERS } from "./drawing.ts";
import type { Layer, Layers } from "./drawing.ts";

/** Which layers are drawn; this browser remembers what was switched. */
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
