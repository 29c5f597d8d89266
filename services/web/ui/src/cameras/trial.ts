import { ask } from "../api/client.ts";
import { Unreachable, refusalOf } from "../api/answers.ts";
import type { Parameters } from "../api/answers.ts";
import { addressOf } from "../api/base.ts";
import type { Size } from "../api/types.ts";

/** What came of trying a camera's address before it is saved. */
export interface Trial {
  works: boolean;
  /** A JPEG in base64. */
  picture: string | null;
  resolution: Size | null;
  codec: string | null;
  fps: number | null;
  seconds: number;
  error: { code: string; params: Parameters; text: string } | null;
}

/** Has ingest try an address; `camera` is the one whose stored secrets stand for `***`. It may take a minute. */
export async function tryAddress(url: string, camera: string | null, signal: AbortSignal): Promise<Trial> {
  const body = JSON.stringify({ url, ...(camera && { camera }) });
  let response: Response;
  try {
    response = await ask(new Request(addressOf("api/v1/cameras/test"), {
      method: "POST", body, signal, headers: { "Content-Type": "application/json", Accept: "application/json" },
    }), TRIAL_MS);
  } catch (error) {
    throw new Unreachable(String(error));
  }
  const answered: unknown = await response.json().catch(() => null);
  if (!response.ok) throw refusalOf(answered, response);
  return answered as Trial;
}

const TRIAL_MS = 70_000;
