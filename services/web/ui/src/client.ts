import createClient from "openapi-fetch";
import type { Problem, paths } from "./schema.ts";

/** Asks the API by its description: paths, parameters and answers are checked when the page is built. */
const TIMEOUT_MS = 10_000;

/** The server answered, and said no (RFC 9457). */
export class ApiError extends Error {
  constructor(readonly status: number, detail: string) {
    super(detail);
  }
}

/** The server did not answer, or what answered is not Sightline. */
export class Unreachable extends Error {}

let loggedOut = (): void => undefined;

/** Calls `run` when an answer says that nobody is logged in, or not any more. */
export function whenLoggedOut(run: () => void): void {
  loggedOut = run;
}

let clockOffsetMs = 0;

/** The server's time, for browsers whose clock is wrong by seconds or more. */
export const serverNow = (): Date => new Date(Date.now() + clockOffsetMs);

function learnClock(response: Response): void {
  const date = Date.parse(response.headers.get("date") ?? "");
  const offset = date - Date.now();
  if (Number.isFinite(offset)) clockOffsetMs = Math.abs(offset) > 3000 ? offset : 0;
}

async function ask(request: Request): Promise<Response> {
  const response = await fetch(request, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  learnClock(response);
  if (response.status === 401 && !request.url.endsWith("/session")) loggedOut();
  return response;
}

export const client = createClient<paths, "application/json">({
  fetch: ask, headers: { Accept: "application/json" }, cache: "no-store",
});

function refusal(body: unknown, response: Response): ApiError {
  const { detail, title } = (typeof body === "object" && body !== null ? body : {}) as Partial<Problem>;
  return new ApiError(response.status, detail || title || response.statusText || `HTTP ${response.status}`);
}

interface Result<T> { data?: T; error?: unknown; response: Response }

/** Gives what was answered: ApiError where the server said no, Unreachable where nothing came that can be read. */
export async function answer<T>(asked: Promise<Result<T>>): Promise<T> {
  let result: Result<T>;
  try {
    result = await asked;
  } catch (error) {
    throw new Unreachable(String(error));
  }
  if (!result.response.ok) throw refusal(result.error, result.response);
  return result.data as T;
}

/** The same for lists and other answers that are objects: a proxy's page in their place is none. */
export async function answerOf<T extends object>(asked: Promise<Result<T>>): Promise<T> {
  const data = await answer(asked);
  if (typeof data !== "object" || data === null) throw new Unreachable("the answer is not one of Sightline");
  return data;
}
