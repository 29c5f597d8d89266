/** A time zone that the server knows too: browsers name some that are none (`Etc/Unknown`). */
const NAME = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/;

/** Whether a name may be one that the server knows too. */
export const isZoneName = (name: string): boolean => NAME.test(name) && name !== "Etc/Unknown";

export const browserZone = (named: string | undefined = Intl.DateTimeFormat().resolvedOptions().timeZone): string =>
  named && isZoneName(named) ? named : "UTC";

/** The zones to choose from: the browser's own, UTC, and all that the browser knows. */
export const knownZones = (): string[] => [...new Set([browserZone(), "UTC", ...Intl.supportedValuesOf("timeZone")])];
