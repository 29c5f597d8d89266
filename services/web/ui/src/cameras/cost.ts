/** What analysing so many pictures a second costs: the share of one processor core; null: not measured yet. */
export const coresOf = (fps: number | null, msPerFrame: number | null | undefined): number | null =>
  fps === null || !Number.isFinite(fps) || msPerFrame == null ? null : (fps * msPerFrame) / 1000;

/** What a camera's model finds when nobody has chosen one, as the server decides it. */
export const modelFor = (url: string): string => (url.trim() === "demo://masks" ? "mask" : "traffic");
