import type { Strings } from "../en/index.ts";
import { account } from "./account.ts";
import { cameras } from "./cameras.ts";
import { common } from "./common.ts";
import { draw } from "./draw.ts";
import { read } from "./read.ts";
import { system } from "./system.ts";
import { watch } from "./watch.ts";

/** Everything that the page says in German. */
export const de: Strings = { common, cameras, watch, draw, read, system, account };
