import type { Parameters } from "../api/answers.ts";

/** Puts parameters into a sentence like `There is already a camera {id}.`; what is missing stays as it is named. */
export const filled = (sentence: string, parameters: Parameters): string =>
  sentence.replace(/\{(\w+)\}/g, (named, key: string) => String(parameters[key] ?? named));
