import { createQuery } from "@tanstack/svelte-query";
import { answerOf, client } from "./client.ts";
import { live } from "./live.svelte.ts";
import type { Camera } from "./types.ts";

/** The cameras as they are now: as the socket tells them, or asked for where it does not (yet). */
export interface Cameras { readonly all: Camera[] | null; readonly error: unknown }

/** Gives them to a component while it is there. */
export function createCameras(): Cameras {
  const asked = createQuery(() => ({
    queryKey: ["cameras"], enabled: live.state !== "open" || live.cameras === null, refetchInterval: 2000,
    queryFn: async () => (await answerOf(client.GET("/api/v1/cameras"))).items,
  }));
  return {
    get all() { return (live.state === "open" ? (live.cameras ?? asked.data) : (asked.data ?? live.cameras)) ?? null; },
    get error() { return live.cameras === null && !asked.data ? asked.error : null; },
  };
}
