import { filled } from "./codes.ts";
import type { Dictionary } from "./codes.ts";
import type { Strings } from "./en/index.ts";
import { languageOf } from "./languages.ts";
import type { Language } from "./languages.ts";
import { ApiError, Unreachable } from "../api/answers.ts";
import type { Parameters } from "../api/answers.ts";
import { keep, kept } from "../app/kept.ts";

interface Words { strings: Strings; codes: Dictionary }

/** Each language is a file of its own: a browser reads only the one that it speaks. */
const LOADERS: Record<Language, () => Promise<Words>> = {
  en: async () => {
    const [{ en }, codes] = await Promise.all([import("./en/index.ts"), import("./codes.en.json")]);
    return { strings: en, codes: codes.default };
  },
  de: async () => {
    const [{ de }, codes] = await Promise.all([import("./de/index.ts"), import("./codes.de.json")]);
    return { strings: de, codes: codes.default };
  },
};
const KEY = "language";

let chosen = $state.raw<{ language: Language; words: Words | null }>({ language: languageOf(kept(KEY), navigator.languages), words: null });

/** Gives the language of the page. */
export const language = (): Language => chosen.language;

async function load(next: Language): Promise<void> {
  const words = await LOADERS[next]();
  chosen = { language: next, words };
  document.documentElement.lang = next;
}

/** Reads the words of the page; it says nothing before. */
export const loadWords = (): Promise<void> => load(chosen.language);

/** Changes the language of the page, and remembers it. */
export async function speak(next: Language): Promise<void> {
  await load(next);
  keep(KEY, next);
}

/** Gives all that the page says, in its language. */
export function t(): Strings {
  if (chosen.words === null) throw new Error("the words of the page are not there yet");
  return chosen.words.strings;
}

/** Gives what a code of the server means, in the page's language; `text` is the server's own sentence. */
export function sentence(code: string | null | undefined, parameters: Parameters | null | undefined, text: string): string {
  const dictionary = chosen.words?.codes ?? {};
  const known = code && code !== "other" && Object.hasOwn(dictionary, code) ? dictionary[code] : undefined;
  return known === undefined ? text : filled(known, parameters ?? {}, dictionary, (value) => value.toLocaleString(chosen.language));
}

/** Gives what went wrong, in words for a person. */
export function errorText(error: unknown): string {
  if (error instanceof ApiError) return sentence(error.code, error.parameters, error.message);
  if (error instanceof Unreachable) return navigator.onLine ? t().common.away : t().common.offline;
  return t().common.broken;
}

/** Gives the name of a class: a translated one, or that of a model which the page does not know. */
export function className(name: string): string {
  const names = t().common.classes;
  return (Object.hasOwn(names, name) ? names[name] : undefined) ?? name.replaceAll("_", " ");
}
