import { answerOf, client } from "../api/client.ts";
import type { CountsAnswer } from "../api/schema.ts";
import type { Direction } from "./question.ts";
import type { Answer } from "./series.ts";
import type { Bucket, Span } from "./spans.ts";

/** What is asked of one camera. */
export interface Asked {
  camera: string;
  lines: readonly string[];
  classes: readonly string[];
  directions: readonly Direction[];
  span: Span;
  bucket: Bucket;
  zone: string;
  generation: number | null;
}

/** What parts the columns of a file for spreadsheets: what those of the page's language expect. */
export type Spreadsheet = "comma" | "semicolon";

const queryOf = (asked: Asked) => ({
  camera: asked.camera, line: [...asked.lines], class: [...asked.classes], direction: [...asked.directions],
  ...asked.span, bucket: asked.bucket, tz: asked.zone, by: "line" as const,
  ...(asked.generation !== null && { generation: asked.generation }),
});

/** Counts of a camera, as a whole and of each line. */
export async function counts(asked: Asked, signal?: AbortSignal): Promise<Answer> {
  const answer: CountsAnswer = await answerOf(client.GET("/api/v1/counts", { params: { query: queryOf(asked) }, ...(signal && { signal }) }));
  return { ...answer, camera: asked.camera, lines: answer.lines ?? [] };
}

/** The address of the same counts as a file for spreadsheets. */
export function csvPath(asked: Asked, spreadsheet: Spreadsheet): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(queryOf(asked))) {
    for (const one of Array.isArray(value) ? value : [value]) params.append(name, String(one));
  }
  params.set("format", "csv");
  params.set("spreadsheet", spreadsheet);
  return `api/v1/counts?${params}`;
}
