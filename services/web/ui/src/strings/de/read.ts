import type { Strings } from "../en/index.ts";

export const read: Strings["read"] = {
  title: "read",
};
