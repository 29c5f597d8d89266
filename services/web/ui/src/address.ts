/** What a browser says of itself that may be anything: the address of the page, and its time zone. */

/** The camera that the fragment of an address names; null where it names none, or nothing that can be read. */
export function cameraOf(fragment: string): string | null {
  try {
    return decodeURIComponent(fragment.replace(/^#/, "")) || null;
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

export const fragmentOf = (camera: string): string => `#${encodeURIComponent(camera)}`;

/** The zone of the days and hours; UTC where the browser has none that a server can know. */
export function timeZone(named = Intl.DateTimeFormat().resolvedOptions().timeZone): string {
  return /^(?!Etc\/Unknown$)[A-Za-z][\w+\-]*(\/[\w+\-]+)*$/.test(named ?? "") ? named : "UTC";
}
