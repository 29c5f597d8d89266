import { ApiError } from "../api/answers.ts";
import { answerOf, client } from "../api/client.ts";
import type { CrossingsAnswer } from "../api/schema.ts";
import type { Crossing, Line } from "../api/types.ts";
import type { CrossingQuestion } from "./crossing-question.ts";
import type { Spreadsheet } from "./requests.ts";

/** How many crossings stand on a page. */
export const PAGE = 50;

/** What is asked of a camera, without the page. */
export interface CrossingsAsked {
  camera: string;
  question: Pick<CrossingQuestion, "lines" | "classes" | "directions" | "masks" | "least" | "most" | "generation">;
  span: { from: string; to?: string };
  zone: string;
}

const queryOf = ({ camera, question, span, zone }: CrossingsAsked) => ({
  camera, ...span, tz: zone,
  line: [...question.lines], class: [...question.classes], direction: [...question.directions], mask: [...question.masks],
  ...(question.least !== null && { min_confidence: question.least }),
  ...(question.most !== null && { max_confidence: question.most }),
  ...(question.generation !== null && { generation: question.generation }),
});

/** A page of crossings, newest first. */
export const crossings = (asked: CrossingsAsked, cursor: string | null, signal: AbortSignal): Promise<CrossingsAnswer> =>
  answerOf(client.GET("/api/v1/crossings", { params: { query: { ...queryOf(asked), limit: PAGE, ...(cursor && { cursor }) } }, signal }));

/** One crossing, whose time is known; null: there is none. */
export async function crossing(camera: string, id: string, time: string, generation: number | null): Promise<Crossing | null> {
  const to = new Date(Date.parse(time) + 1).toISOString();
  const query = { camera, from: time, to, limit: 1000, ...(generation !== null && { generation }) };
  const { items } = await answerOf(client.GET("/api/v1/crossings", { params: { query } }));
  return items.find((one) => one.id === id) ?? null;
}

/** The address of all crossings of a question as a file for spreadsheets. */
export function crossingsCsvPath(asked: CrossingsAsked, spreadsheet: Spreadsheet): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(queryOf(asked))) {
    for (const one of Array.isArray(value) ? value : [value]) params.append(name, String(one));
  }
  params.set("format", "csv");
  params.set("spreadsheet", spreadsheet);
  return `api/v1/crossings?${params}`;
}

/** How a line has lain; of a line that nobody knows of: never. */
export async function lineVersions(camera: string, line: string, generation: number | null, signal: AbortSignal): Promise<Line[]> {
  const params = { path: { camera, line }, query: generation === null ? {} : { generation } };
  try {
    return (await answerOf(client.GET("/api/v1/cameras/{camera}/lines/{line}/versions", { params, signal }))).items as readonly unknown[] as Line[];
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
}
