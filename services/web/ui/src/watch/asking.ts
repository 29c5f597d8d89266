import { ApiError, refusalOf } from "../api/answers.ts";
import { addressOf } from "../api/base.ts";
import { answerOf, ask, client } from "../api/client.ts";
import { serverNow } from "../api/clock.ts";
import { browserZone } from "../api/zones.ts";
import type { Gap } from "./coverage.ts";
import type { Today } from "./today.ts";

/** What the views of this folder ask for again and again. */
const COUNTS_MS = 2000;
const GAPS_MS = 10_000;
const LINES_MS = 5000;
const SHOWN_CROSSINGS = 12;

async function readToday(): Promise<Today> {
  const response = await ask(new Request(addressOf(`api/v1/counts/today?tz=${encodeURIComponent(browserZone())}`), { headers: { Accept: "application/json" } }));
  if (!response.ok) throw refusalOf(await response.json().catch(() => null), response);
  return await response.json() as Today;
}

const isUnknown = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

export const todayQuery = () => ({
  queryKey: ["today"], queryFn: readToday,
  refetchInterval: (query: { state: { error: unknown } }) => (isUnknown(query.state.error) ? false as const : COUNTS_MS),
});

export const linesQuery = (camera: string) => ({
  queryKey: ["lines", camera], refetchInterval: LINES_MS,
  queryFn: async () => (await answerOf(client.GET("/api/v1/cameras/{camera}/lines", { params: { path: { camera } } }))).items,
});

export const crossingsQuery = (camera: string) => ({
  queryKey: ["crossings", camera, "last"], refetchInterval: COUNTS_MS,
  queryFn: async () => (await answerOf(client.GET("/api/v1/crossings", { params: { query: { camera, limit: SHOWN_CROSSINGS } } }))).items,
});

export const gapsQuery = (camera: string, from: string | undefined) => ({
  queryKey: ["gaps", camera, from ?? ""], enabled: from !== undefined, refetchInterval: GAPS_MS,
  queryFn: async (): Promise<Gap[]> => (await answerOf(client.GET("/api/v1/cameras/{camera}/gaps", {
    params: { path: { camera }, query: { from: from ?? "", to: serverNow().toISOString() } },
  }))).items,
});
