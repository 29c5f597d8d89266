import type { Camera } from "../api/types.ts";

type Model = { name: string; classes: readonly string[]; aliases?: readonly string[] };

/** What a camera's model can find: as the server knows it of the camera, else by the model's name; none where nobody knows. */
export function classesOf(camera: Pick<Camera, "model" | "classes"> | null | undefined, models: readonly Model[]): readonly string[] {
  return camera?.classes ?? models.find((one) => one.name === camera?.model || one.aliases?.includes(camera?.model ?? ""))?.classes ?? [];
}

export const MASKS = ["mask", "no_mask", "mask_incorrect"] as const;

const isState = (name: string): boolean => MASKS.some((state) => state === name);

/** Whether what is called like a mask state is one, as the server has it: not where a model finds other things beside a mask. */
export const mayStateMasks = (classes: readonly string[] | null | undefined): boolean =>
  !classes?.some(isState) || (classes.every(isState) && classes.includes("mask") && classes.includes("no_mask"));
