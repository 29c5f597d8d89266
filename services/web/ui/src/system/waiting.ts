import type { PendingRetention } from "../api/schema.ts";
import { confirmed } from "../parts/confirmation.svelte.ts";
import { attempt } from "../parts/toasts.svelte.ts";
import { duration, number } from "../strings/formats.svelte.ts";
import { t } from "../strings/index.svelte.ts";
import { confirmRetention } from "./requests.ts";

/** A shorter retention that waits, in words, and what a person may do about it. */
const HOUR_MS = 3_600_000;

/** Like `3 paths older than 10 days`, by kind. */
const records = (waits: PendingRetention): string => Object.entries(waits.records)
  .map(([kind, count]) => t().system.olderThan(number(count), t().system.kinds[kind] ?? kind, waits.days[kind] ?? 0)).join(", ");

export const retentionWords = (waits: PendingRetention): string =>
  t().system.retentionNotice(records(waits), waits.hours_left > 0 ? duration(waits.hours_left * HOUR_MS) : null);

/** Deletes at once, once somebody has said so. */
export async function deleteNow(waits: PendingRetention): Promise<void> {
  if (!(await confirmed(t().system.retentionTitle, t().system.retentionText(records(waits)), t().common.delete))) return;
  await attempt(() => confirmRetention(waits.id));
}
