import { ask } from "./client.ts";
import { addressOf } from "./base.ts";
import { serverNow } from "./clock.ts";
import type { Picture } from "./live-messages.ts";

/** Single pictures by request, for browsers to which no live ones come. */
const EVERY_MS = 2000;

/** Asks for a picture of each camera that is wanted, in turn, until the function that it gives is called. */
export function showStills(wanted: () => readonly string[], show: (picture: Picture) => void): () => void {
  const ending = new AbortController();
  void (async () => {
    while (!ending.signal.aborted) {
      for (const camera of document.hidden ? [] : wanted()) {
        const picture = await stillOf(camera, ending.signal);
        if (picture && !ending.signal.aborted) show(picture);
      }
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  })();
  return () => ending.abort();
}

/** A picture of now; null: none comes, and the camera's status says why. */
async function stillOf(camera: string, signal: AbortSignal): Promise<Picture | null> {
  try {
    const request = new Request(addressOf(`api/v1/cameras/${encodeURIComponent(camera)}/snapshot.jpg?lines=false`), { cache: "no-store", signal });
    const response = await ask(request);
    if (!response.ok) return null;
    return { camera, time: serverNow().toISOString(), width: 0, height: 0, jpeg: await response.blob() };
  } catch {
    return null;
  }
}
