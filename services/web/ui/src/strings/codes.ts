import type { Parameters } from "../api/answers.ts";

/** Sentences by their codes, with placeholders like `{id}`. */
export type Dictionary = Readonly<Record<string, string>>;

const DEEPEST = 3;

/** The parameters of a sentence within another one: those that begin with its name. */
function innerOf(name: string, parameters: Parameters): Parameters {
  const prefix = `${name}_`;
  return Object.fromEntries(Object.entries(parameters).flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [])));
}

/**
 * Gives a sentence like `There is already a camera {id}.` with its parameters; what is missing stays as it is named.
 * A parameter may be a sentence of its own, whose code and parameters stand beside it as `x_code` and `x_…`.
 */
export function filled(text: string, parameters: Parameters, dictionary: Dictionary = {}, number: (value: number) => string = String, depth = 0): string {
  return text.replace(/\{(\w+)\}/g, (named, key: string) => {
    const value = parameters[key];
    const code = parameters[`${key}_code`];
    const inner = typeof code === "string" && code !== "other" && depth < DEEPEST ? dictionary[code] : undefined;
    if (inner !== undefined) return filled(inner, innerOf(key, parameters), dictionary, number, depth + 1);
    return typeof value === "number" ? number(value) : (value ?? named);
  });
}
