import { answerOf, client } from "../api/client.ts";
import { serverNow } from "../api/clock.ts";
import { browserZone } from "../api/zones.ts";
import type { Gap } from "./coverage.ts";

/** What the views of this folder ask for again and again. */
const COUNTS_MS = 2000;
const GAPS_MS = 10_000;
const SHOWN_CROSSINGS = 12;

export const todayQuery = () => ({
  queryKey: ["today", browserZone()], refetchInterval: COUNTS_MS,
  queryFn: () => answerOf(client.GET("/api/v1/counts/today", { params: { query: { tz: browserZone() } } })),
});

export const crossingsQuery = (camera: string) => ({
  queryKey: ["crossings", camera, "last"], refetchInterval: COUNTS_MS,
  queryFn: async () => (await answerOf(client.GET("/api/v1/crossings", { params: { query: { camera, limit: SHOWN_CROSSINGS } } }))).items,
});

/** Now, but later than a time that is: a camera may have been made this second, by a clock that is a little ahead. */
const after = (from: string): string => new Date(Math.max(serverNow().getTime(), Date.parse(from) + 1000)).toISOString();

export const gapsQuery = (camera: string, from: string | undefined) => ({
  queryKey: ["gaps", camera, from ?? ""], enabled: from !== undefined, refetchInterval: GAPS_MS,
  queryFn: async (): Promise<Gap[]> => (await answerOf(client.GET("/api/v1/cameras/{camera}/gaps", {
    params: { path: { camera }, query: { from: from ?? "", to: after(from ?? "") } },
  }))).items,
});
