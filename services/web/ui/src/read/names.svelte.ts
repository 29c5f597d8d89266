import type { Axis } from "./bars.ts";
import { classColor } from "../parts/class-colors.ts";
import { cssColor, partColor } from "./colors.ts";
import type { Answer, Table } from "./series.ts";
import type { Bucket } from "./spans.ts";
import type { Stack } from "./question.ts";
import { clock, day, moment } from "../strings/formats.svelte.ts";
import { className, t } from "../strings/index.svelte.ts";

/** What parts of counts are called, and which colour they have. */
export interface Part { label: string; color: string }

/** Names of the directions, where all that is shown agrees on them. */
function directionNames(answers: readonly Answer[], lines: readonly string[]): { forward: string; backward: string } {
  const shown = answers.flatMap((answer) => answer.lines.filter((line) => lines.length === 0 || lines.includes(`${answer.camera}/${line.line}`)));
  const only = (names: (string | null | undefined)[]): string | null => {
    const found = new Set(names);
    return found.size === 1 ? ([...found][0] ?? null) : null;
  };
  return {
    forward: only(shown.map((line) => line.forward_name)) ?? t().common.forward,
    backward: only(shown.map((line) => line.backward_name)) ?? t().common.backward,
  };
}

/** Gives label and colour of each series of a table. */
export function partsOf(table: Table, stack: Stack, answers: readonly Answer[], lines: readonly string[], cameraName: (id: string) => string): Part[] {
  const ways = directionNames(answers, lines);
  const names = new Map<string, string>(answers.flatMap((answer) => answer.lines.map((line) => {
    const name = answers.length > 1 ? `${cameraName(answer.camera)}: ${line.name}` : line.name;
    return [`${answer.camera}/${line.line}`, name] as const;
  })));
  return table.series.map(({ key }, index) => {
    if (stack === "direction") return { label: key === "forward" ? ways.forward : ways.backward, color: cssColor(key) };
    if (stack === "class") return { label: className(key), color: classColor(key) };
    return { label: names.get(key) ?? key, color: partColor(index) };
  });
}

/** What stands below the bars: the time of the day within a day, else each day where it begins. */
export function axisOf(starts: readonly number[], bucket: Bucket, zone: string, isOneDay: boolean): Axis {
  const labels = starts.map((start) => (isOneDay && bucket !== "1d" ? clock(start, zone) : day(start, zone)));
  const at = starts.map((_, index) => index).filter((index) => isOneDay || labels[index] !== labels[index - 1]);
  return { at, labels: at.map((index) => labels[index] ?? "") };
}

/** What a bucket is called where it stands alone. */
export const bucketTitle = (startMs: number, bucket: Bucket, zone: string): string =>
  bucket === "1d" ? day(startMs, zone) : moment(startMs, zone).replace(/:\d\d$/, "");
