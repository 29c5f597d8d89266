import { errorText } from "../strings/index.svelte.ts";

/** Short words about what has just happened, with something to press where that helps. */
export interface Toast { id: number; text: string; isError: boolean; action?: { label: string; run: () => void } }

const SHOWN_MS = 6000;
const MOST = 3;
let next = 0;

export const toasts = $state<Toast[]>([]);

export function dismiss(id: number): void {
  const at = toasts.findIndex((toast) => toast.id === id);
  if (at >= 0) toasts.splice(at, 1);
}

function show(toast: Omit<Toast, "id">): void {
  const id = ++next;
  if (toast.isError) for (const old of toasts.filter((known) => known.isError)) dismiss(old.id);
  toasts.push({ id, ...toast });
  while (toasts.length > MOST) toasts.shift();
  setTimeout(() => dismiss(id), toast.isError ? SHOWN_MS * 2 : SHOWN_MS);
}

/** Says that something was done. */
export const note = (text: string, action?: Toast["action"]): void => show({ text, isError: false, ...(action && { action }) });

/** Says what went wrong. */
export const complain = (error: unknown): void => show({ text: errorText(error), isError: true });

/** Does something, and says what went wrong with it; gives whether it was done. */
export async function attempt(task: () => Promise<unknown>): Promise<boolean> {
  try {
    await task();
    return true;
  } catch (error) {
    complain(error);
    return false;
  }
}
