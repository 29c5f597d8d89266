import { QueryClient } from "@tanstack/svelte-query";
import { ApiError } from "./answers.ts";

/** How the page asks: again after failures, never while its tab is hidden, and answers stay while it is away. */
const MOST_TRIES = 2;
const LONGEST_WAIT_MS = 8000;

const isFinal = (error: unknown): boolean => error instanceof ApiError && error.status < 500 && error.status !== 429;

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      networkMode: "always",
      retry: (failures, error) => !isFinal(error) && failures < MOST_TRIES,
      retryDelay: (failures) => Math.min(LONGEST_WAIT_MS, 500 * 2 ** failures),
      staleTime: 1000,
      refetchOnWindowFocus: true,
      refetchOnReconnect: true,
    },
    mutations: { networkMode: "always" },
  },
});
