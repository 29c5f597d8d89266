import type { Strings } from "../en/index.ts";

export const watch: Strings["watch"] = {
  title: "watch",
};
