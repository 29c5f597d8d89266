import { answer, answerOf, client } from "../api/client.ts";
import { SYSTEM } from "../api/asking.ts";
import { queries } from "../api/queries.ts";
import type { CameraGapAnswer, CameraGenerationAnswer, DoctorAnswer, LogAnswer } from "../api/schema.ts";
import { MOST_RECORDS, merged } from "./log.ts";
import type { Span } from "./spans.ts";

/** What the API knows of the system as a whole, and what a person decides there. */
export const LOG = ["system log"] as const;
export const GENERATIONS = ["generations"] as const;

export const doctor = (): Promise<DoctorAnswer> => answerOf(client.GET("/api/v1/system/doctor"));

/** The newest records: what is known already, and what follows it. */
export async function log(): Promise<LogAnswer> {
  const known = queries.getQueryData<LogAnswer>(LOG);
  const after = known?.items.at(-1)?.id;
  const query = { limit: MOST_RECORDS, ...(after !== undefined && { after }) };
  const fresh = await answerOf(client.GET("/api/v1/system/log", { params: { query } }));
  return { ...fresh, items: merged(known?.items ?? [], fresh.items) };
}

export interface GapsOfSpan extends Span { items: CameraGapAnswer[] }

/** The gaps of all cameras in a span. */
export async function gaps(span: Span): Promise<GapsOfSpan> {
  const query = { from: new Date(span.fromMs).toISOString(), to: new Date(span.toMs).toISOString() };
  return { ...span, items: (await answerOf(client.GET("/api/v1/gaps", { params: { query } }))).items };
}

export const generations = async (): Promise<CameraGenerationAnswer[]> => (await answerOf(client.GET("/api/v1/generations"))).items;

export async function removeGeneration(camera: string, generation: number): Promise<void> {
  await answer(client.DELETE("/api/v1/cameras/{camera}/generations/{generation}", { params: { path: { camera, generation } } }));
  await queries.invalidateQueries({ queryKey: GENERATIONS });
}

/** Applies the shorter retention that waits. */
export async function confirmRetention(id: string): Promise<void> {
  await answer(client.PATCH("/api/v1/system/retention", { body: { confirm: id } }));
  await queries.invalidateQueries({ queryKey: SYSTEM });
}

/** Says that the clock in doubt is right. */
export async function confirmClock(id: string): Promise<void> {
  await answer(client.PATCH("/api/v1/system/clock", { body: { confirm: id } }));
  await queries.invalidateQueries({ queryKey: SYSTEM });
}
