import { Growth } from "./judge.ts";

/** What was lost since the page was opened: kept over the page's views. */
export const queueGrowth = new Growth();
export const cameraGrowth = new Growth();
