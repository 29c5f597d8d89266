/** What this browser remembers of a person's choices; a browser that forbids it remembers nothing. */
const PREFIX = "sightline.";

/** Gives what was kept under a name. */
export function kept(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

/** Keeps a value; null forgets it. */
export function keep(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch {
    /* The choice holds for this visit. */
  }
}
