import type { Strings } from "../en/index.ts";

export const system: Strings["system"] = {
  title: "system",
};
