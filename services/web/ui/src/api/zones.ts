/** A time zone that the server knows too: browsers name some that are none (`Etc/Unknown`), and some by an offset. */
const NAME = /^([A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*|[+-]\d\d:\d\d)$/;

function isKnownHere(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Whether a name may be one that the server knows too. */
export const isZoneName = (name: string): boolean => NAME.test(name) && name !== "Etc/Unknown" && isKnownHere(name);

/** The zone of an offset, as `Date` has it: in minutes behind UTC. Its days are those of the browser until clocks change. */
export function zoneOfOffset(behind: number): string {
  const [sign, size] = [behind > 0 ? "-" : "+", Math.abs(behind)];
  if (size % 60 === 0) return size === 0 ? "UTC" : `Etc/GMT${behind > 0 ? "+" : "-"}${size / 60}`;
  const name = `${sign}${String(Math.floor(size / 60)).padStart(2, "0")}:${String(size % 60).padStart(2, "0")}`;
  return isKnownHere(name) ? name : "UTC";
}

const here = (): string => zoneOfOffset(new Date().getTimezoneOffset());

export const browserZone = (named: string | undefined = Intl.DateTimeFormat().resolvedOptions().timeZone): string =>
  named && isZoneName(named) ? named : here();

const refused = new Set<string>();

/** A request with the browser's zone in a form that every server knows, once this one has refused its name: it may be newer. */
export function withKnownZone(request: Request): Request {
  const url = new URL(request.url);
  if (!refused.has(url.searchParams.get("tz") ?? "")) return request;
  url.searchParams.set("tz", here());
  return new Request(url, request);
}

/** Notes that a request was refused for the browser's own zone; gives whether it may be sent anew. */
export async function isZoneRefused(request: Request, response: Response): Promise<boolean> {
  const zone = new URL(request.url).searchParams.get("tz");
  if (response.status !== 422 || zone === null || zone !== browserZone() || refused.has(zone)) return false;
  const { code } = (await response.clone().json()) as { code?: string };
  if (code === "zone-unknown") refused.add(zone);
  return refused.has(zone);
}

/** The zones to choose from: the browser's own, UTC, and all that the browser knows. */
export const knownZones = (): string[] => [...new Set([browserZone(), "UTC", ...Intl.supportedValuesOf("timeZone")])];
