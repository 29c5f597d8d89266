const TRAFFIC = ["person", "bicycle", "car", "motorbike", "bus", "truck"];
const MASKS = ["mask", "no_mask", "mask_incorrect"];

/** What a model can find: what the server knows of it, else what its name says. */
export function classesOf(model: string, models: readonly { name: string; classes: string[]; aliases?: readonly string[] }[]): string[] {
  const known = models.find((candidate) => candidate.name === model || candidate.aliases?.includes(model))?.classes ?? [];
  return known.length > 0 ? known : model.startsWith("mask") ? MASKS : TRAFFIC;
}
