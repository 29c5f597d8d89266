import type { Camera } from "../api/types.ts";

/** Lines to choose from: `camera/line`, named by both where there are several cameras. */
export interface LineOption { value: string; label: string; group: string }

/** Gives the lines of the cameras that are chosen; `lines` are those of each camera, in their order. */
export function linesOf(cameras: readonly Camera[], lines: readonly (readonly { id: string; name: string }[])[], chosen: readonly string[]): LineOption[] {
  return cameras.flatMap((camera, index) => (!chosen.includes(camera.id) ? [] : (lines[index] ?? []).map((line) => ({
    value: `${camera.id}/${line.id}`, label: line.name, group: camera.name,
  }))));
}

/** The classes that the models of some cameras find, each once. */
export function classesOf(cameras: readonly Camera[], models: readonly { name: string; classes: string[] }[]): string[] {
  const found = cameras.flatMap((camera) => models.find((model) => model.name === camera.model)?.classes ?? []);
  return [...new Set(found)];
}
