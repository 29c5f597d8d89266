import createClient from "openapi-fetch";
import { BASE } from "./base.ts";
import { answerOf, answer } from "./answers.ts";
import { learnTime, noteAnswer } from "./clock.ts";
import { isZoneRefused, withKnownZone } from "./zones.ts";
import type { paths } from "./schema.ts";

/** Asks the API by its description: paths, parameters and answers are checked when the page is built. */
const TIMEOUT_MS = 15_000;

let isOver = (): boolean => false;
let loggedOut = (): void => undefined;

/** Calls `run` when an answer says that nobody is logged in any more; while `ended` nothing but a login is asked for. */
export function whenLoggedOut(run: () => void, ended: () => boolean): void {
  loggedOut = run;
  isOver = ended;
}

/** Sends a request of this page; for what `client` does not do: downloads, and what may take longer. */
export async function ask(request: Request, timeoutMs = TIMEOUT_MS): Promise<Response> {
  const isLogin = request.url.endsWith("/session");
  if (isOver() && !isLogin) throw new Error("nobody is logged in");
  const begun = Date.now();
  const response = await fetch(withKnownZone(request), { signal: AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]) });
  if (response.status < 500) noteAnswer(performance.now());
  learnTime(response.headers.get("date"), begun, Date.now());
  if (response.status === 401 && !isLogin) loggedOut();
  if (await isZoneRefused(request, response)) return ask(request, timeoutMs);
  return response;
}

export const client = createClient<paths, "application/json">({
  baseUrl: BASE.href.replace(/\/$/, ""), fetch: (request) => ask(request), headers: { Accept: "application/json" }, cache: "no-store",
});

export { answer, answerOf };
