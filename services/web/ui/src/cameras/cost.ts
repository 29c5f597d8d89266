/** What analysing so many pictures a second costs: the share of one processor core; null: not measured yet. */
export const coresOf = (fps: number | null, msPerFrame: number | null | undefined): number | null =>
  fps === null || !Number.isFinite(fps) || msPerFrame == null ? null : (fps * msPerFrame) / 1000;

/** How the detector may look at a picture, as columns by rows of tiles. */
export const TILINGS = ["1x1", "2x1", "3x1", "4x1", "2x2", "3x2", "4x2", "3x3", "4x3", "4x4"];

/** How often the network computes for one picture: for each tile, and once for the whole picture. */
export const passesOf = (tiles: string): number => {
  const [columns = 1, rows = 1] = tiles.split("x").map(Number);
  return columns * rows > 1 ? columns * rows + 1 : 1;
};

/** A model as the server lists it: by its own name, or by a name that stands for it. */
interface Known { name: string; aliases?: readonly string[] }

/** Gives the model that a name means. */
export const modelOf = <M extends Known>(known: readonly M[], name: string): M | undefined =>
  known.find((one) => one.name === name) ?? known.find((one) => one.aliases?.includes(name));

const STATES = ["mask", "no_mask", "mask_incorrect"];

/** Whether a second opinion can be asked for on what a model finds: the mask model of one stage, or a file. */
export const mayVerify = (model: string, classes: readonly string[] | undefined): boolean =>
  !model.includes("+") && (classes ? classes.every((name) => STATES.includes(name)) : /^mask(-[ns])?$|\.onnx$/.test(model));

/** What a camera's model finds when nobody has chosen one, as the server decides it. */
export const modelFor = (url: string): string => (url.trim() === "demo://masks" ? "mask" : "traffic");
