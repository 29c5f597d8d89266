import { account } from "./account.ts";
import { cameras } from "./cameras.ts";
import { common } from "./common.ts";
import { draw } from "./draw.ts";
import { read } from "./read.ts";
import { system } from "./system.ts";
import { watch } from "./watch.ts";

/** Everything that the page says in English, by the folder that says it. */
export const en = { common, cameras, watch, draw, read, system, account };

/** What every language has to say. */
export type Strings = typeof en;
