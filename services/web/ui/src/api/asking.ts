import { answerOf, client } from "./client.ts";
import type { SystemAnswer } from "./schema.ts";
import type { Line } from "./types.ts";

/** What several folders ask for, each under one key. What a question is about is fixed when it is made. */
export const SYSTEM = ["system"] as const;

export const readSystem = (): Promise<SystemAnswer> => answerOf(client.GET("/api/v1/system"));

export const systemQuery = () => ({ queryKey: SYSTEM, queryFn: readSystem });

export async function readLines(camera: string): Promise<Line[]> {
  return (await answerOf(client.GET("/api/v1/cameras/{camera}/lines", { params: { path: { camera } } }))).items as Line[];
}

export const linesQuery = (camera: string) => ({ queryKey: ["lines", camera], queryFn: () => readLines(camera) });
