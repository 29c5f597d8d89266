import type { Problem } from "./schema.ts";

/** What a code takes to become a sentence. */
export type Parameters = Record<string, string | number>;

/** The server answered, and said no (RFC 9457); `code` and `parameters` name the sentence in every language. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    detail: string,
    readonly code: string | null = null,
    readonly parameters: Parameters = {},
  ) {
    super(detail);
  }
}

/** The server did not answer, or what answered is not Sightline. */
export class Unreachable extends Error {}

type AnyProblem = Partial<Problem> & { code?: string; params?: Parameters };

/** Gives what an answer that says no means. */
export function refusalOf(body: unknown, response: Response): ApiError {
  const { detail, title, code, params } = (typeof body === "object" && body !== null ? body : {}) as AnyProblem;
  const text = detail || title || response.statusText || `HTTP ${response.status}`;
  return new ApiError(response.status, text, code ?? null, params ?? {});
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
  if (!result.response.ok) throw refusalOf(result.error, result.response);
  return result.data as T;
}

/** The same for lists and other answers that are objects: a proxy's page in their place is none. */
export async function answerOf<T extends object>(asked: Promise<Result<T>>): Promise<T> {
  const data = await answer(asked);
  if (typeof data !== "object" || data === null) throw new Unreachable("the answer is not one of Sightline");
  return data;
}
