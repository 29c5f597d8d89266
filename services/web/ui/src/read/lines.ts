import type { Camera } from "../api/types.ts";
import { classesOf as classesOfModel } from "../draw/classes.ts";

/** Lines to choose from: `camera/line`, named by both where there are several cameras. */
export interface LineOption { value: string; label: string; group: string }

/** Gives the lines of the cameras that are chosen; `lines` are those of each camera, in their order. */
export function linesOf(cameras: readonly Pick<Camera, "id" | "name">[], lines: readonly (readonly { id: string; name: string }[])[], chosen: readonly string[]): LineOption[] {
  return cameras.flatMap((camera, index) => (!chosen.includes(camera.id) ? [] : (lines[index] ?? []).map((line) => ({
    value: `${camera.id}/${line.id}`, label: line.name, group: camera.name,
  }))));
}

interface Model { name: string; aliases: readonly string[]; classes: string[] }

/** The classes that the models of some cameras find, each once. */
export function classesOf(cameras: readonly Pick<Camera, "model" | "classes">[], models: readonly Model[]): string[] {
  return [...new Set(cameras.flatMap((camera) => classesOfModel(camera, models)))];
}

/** How a line lay by a version; null: not known. */
export const lineAt = <T extends { version: number }>(versions: readonly T[], version: number): T | null =>
  versions.find((one) => one.version === version) ?? null;
