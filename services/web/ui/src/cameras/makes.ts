/** The usual addresses of common makes; `{host}` etc. are put in by the form. */
export interface Make {
  id: "axis" | "hikvision" | "dahua" | "reolink" | "tapo" | "unifi" | "onvif";
  name: string;
  /** The full picture, and the small one, which is usually enough for counting. */
  main: string;
  sub: string | null;
}

const PLACE = "{account}{host}";

export const MAKES: readonly Make[] = [
  { id: "axis", name: "Axis", main: `rtsp://${PLACE}/axis-media/media.amp`, sub: `rtsp://${PLACE}/axis-media/media.amp?resolution=640x360` },
  { id: "hikvision", name: "Hikvision, HiLook, Annke", main: `rtsp://${PLACE}:554/Streaming/Channels/101`, sub: `rtsp://${PLACE}:554/Streaming/Channels/102` },
  { id: "dahua", name: "Dahua, Amcrest, Lorex", main: `rtsp://${PLACE}:554/cam/realmonitor?channel=1&subtype=0`, sub: `rtsp://${PLACE}:554/cam/realmonitor?channel=1&subtype=1` },
  { id: "reolink", name: "Reolink", main: `rtsp://${PLACE}:554/Preview_01_main`, sub: `rtsp://${PLACE}:554/Preview_01_sub` },
  { id: "tapo", name: "TP-Link Tapo, VIGI", main: `rtsp://${PLACE}:554/stream1`, sub: `rtsp://${PLACE}:554/stream2` },
  { id: "unifi", name: "UniFi Protect", main: "rtsps://{host}:7441/STREAM-KEY", sub: null },
  { id: "onvif", name: "ONVIF", main: `rtsp://${PLACE}:554/onvif1`, sub: `rtsp://${PLACE}:554/onvif2` },
];

/** What a person gives of a camera whose address they do not know. */
export interface Place { host: string; user: string; password: string }

const hostOf = (host: string): string => {
  const bare = host.trim().replace(/^[a-z]+:\/\//i, "").replace(/[/?#].*$/, "");
  return bare.includes(":") && !bare.startsWith("[") && bare.split(":").length > 2 ? `[${bare}]` : bare.replace(/:\d+$/, "");
};

/** The address of a make's stream at a place: user and password in the form that an address takes. */
export function addressAt(pattern: string, { host, user, password }: Place): string {
  const account = user ? `${encodeURIComponent(user)}${password ? `:${encodeURIComponent(password)}` : ""}@` : "";
  return pattern.replace("{account}", () => account).replace("{host}", () => hostOf(host));
}
