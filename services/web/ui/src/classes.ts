import { state } from "./state.ts";
import { t } from "./strings.ts";
import type { Camera } from "./types.ts";

const TRAFFIC = ["person", "bicycle", "car", "motorbike", "bus", "truck"];
const MASKS = ["mask", "no_mask", "mask_incorrect"];

/** What a camera's model can find. */
export function classesOf(camera: Camera | null): string[] {
  const model = camera?.model ?? "traffic";
  const known = state.system?.models.find((candidate) => candidate.name === model)?.classes ?? [];
  return known.length > 0 ? known : model.startsWith("mask") ? MASKS : TRAFFIC;
}

/** Whether a camera's model tells how masks are worn. */
export const tellsMasks = (camera: Camera | null): boolean => classesOf(camera).includes("mask");

/** What a person reads for a class. */
export const className = (name: string): string => t.classNames[name] ?? name;
