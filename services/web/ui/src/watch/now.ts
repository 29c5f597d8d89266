import { createSubscriber } from "svelte/reactivity";

/** The time by a clock that nobody sets, for what is shown of it: whoever reads it is asked again twice a second, and when the tab is back. */
const EVERY_MS = 500;

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, EVERY_MS);
  document.addEventListener("visibilitychange", update);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", update);
  };
});

export function now(): number {
  subscribe();
  return performance.now();
}
