import { ApiError, Unreachable } from "./client.ts";

/** Repeats a task, one run at a time; waits longer after failures and rests while the page is hidden. */
export interface Poller { soon(): void }

const MAX_WAIT_MS = 5000;

export function poll(everyMs: number, task: () => Promise<void>): Poller {
  let timer: number | undefined;
  let running = false;
  let again = false;
  let failures = 0;

  const run = async (): Promise<void> => {
    clearTimeout(timer);
    if (running) {
      again = true;
      return;
    }
    running = true;
    again = false;
    try {
      await task();
      failures = 0;
    } catch (error) {
      failures += 1;
      if (!(error instanceof ApiError || error instanceof Unreachable)) console.error(error);
    }
    running = false;
    const wait = Math.max(everyMs, Math.min(MAX_WAIT_MS, everyMs * 2 ** failures));
    if (again && failures === 0) void run();
    else if (!document.hidden) timer = window.setTimeout(run, failures ? wait : everyMs);
  };

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void run();
  });
  void run();
  return { soon: () => void run() };
}
