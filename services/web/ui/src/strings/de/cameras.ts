import type { Strings } from "../en/index.ts";

export const cameras: Strings["cameras"] = {
  title: "Kameras",
};
