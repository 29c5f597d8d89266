/** The usual RTSP addresses of common makes. `main` is the full picture, `sub` the small one. */
export interface Make { name: string; main: string; sub: string | null; note: string }

const HOST = "rtsp://user:password@192.168.1.20";

export const MAKES: readonly Make[] = [
  {
    name: "Axis",
    main: `${HOST}/axis-media/media.amp`,
    sub: `${HOST}/axis-media/media.amp?resolution=640x360`,
    note: "Any resolution can be asked for in the address.",
  },
  {
    name: "Hikvision",
    main: `${HOST}:554/Streaming/Channels/101`,
    sub: `${HOST}:554/Streaming/Channels/102`,
    note: "On a recorder 201 and 202 are its second camera, and so on.",
  },
  {
    name: "Dahua, Amcrest",
    main: `${HOST}:554/cam/realmonitor?channel=1&subtype=0`,
    sub: `${HOST}:554/cam/realmonitor?channel=1&subtype=1`,
    note: "On a recorder the channel is the number of the camera.",
  },
  {
    name: "Reolink",
    main: `${HOST}:554/h264Preview_01_main`,
    sub: `${HOST}:554/h264Preview_01_sub`,
    note: "Switch RTSP on in the camera: Network, Advanced, Server settings.",
  },
  {
    name: "TP-Link Tapo",
    main: `${HOST}:554/stream1`,
    sub: `${HOST}:554/stream2`,
    note: "Make a camera account in the Tapo app first: Advanced settings.",
  },
  {
    name: "UniFi Protect",
    main: "rtsps://192.168.1.1:7441/STREAM-KEY?enableSrtp",
    sub: null,
    note: "Switch RTSPS on at the camera's settings in Protect and copy the address from there.",
  },
  {
    name: "Other (ONVIF)",
    main: `${HOST}:554/onvif1`,
    sub: `${HOST}:554/onvif2`,
    note: "The path differs from make to make: an ONVIF tool or the manual tells it.",
  },
  {
    name: "Video file",
    main: "/videos/crossing.mp4",
    sub: null,
    note: "A path on the machine that runs Sightline.",
  },
  {
    name: "Demo: traffic",
    main: "demo://traffic",
    sub: null,
    note: "Drawn traffic with a known number of crossings. Needs no camera.",
  },
  {
    name: "Demo: masks",
    main: "demo://masks",
    sub: null,
    note: "Drawn people with and without masks, in known numbers. Needs no camera.",
  },
];
