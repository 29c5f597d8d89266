import { keep, kept } from "./kept.ts";

/** Light, dark, or as the device has it. */
export type Appearance = "auto" | "light" | "dark";
const KEY = "appearance";

const isAppearance = (name: string | null): name is Appearance => name === "auto" || name === "light" || name === "dark";

const found = kept(KEY);
const chosen = $state<{ appearance: Appearance }>({ appearance: isAppearance(found) ? found : "auto" });

function apply(): void {
  if (chosen.appearance === "auto") delete document.documentElement.dataset.appearance;
  else document.documentElement.dataset.appearance = chosen.appearance;
}
apply();

export const appearance = (): Appearance => chosen.appearance;

/** Changes it, and remembers it. */
export function appear(next: Appearance): void {
  chosen.appearance = next;
  keep(KEY, next === "auto" ? null : next);
  apply();
}
