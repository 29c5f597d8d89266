import type { Strings } from "../en/index.ts";

export const draw: Strings["draw"] = {
  title: "draw",
};
