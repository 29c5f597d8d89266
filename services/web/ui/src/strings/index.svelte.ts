import codesDe from "./codes.de.json";
import codesEn from "./codes.en.json";
import { filled } from "./codes.ts";
import { de } from "./de/index.ts";
import { en } from "./en/index.ts";
import type { Strings } from "./en/index.ts";
import { languageOf } from "./languages.ts";
import type { Language } from "./languages.ts";
import { ApiError, Unreachable } from "../api/answers.ts";
import type { Parameters } from "../api/answers.ts";
import { keep, kept } from "../app/kept.ts";

const STRINGS: Record<Language, Strings> = { en, de };
const CODES: Record<Language, Record<string, string>> = { en: codesEn, de: codesDe };
const KEY = "language";

const chosen = $state({ language: languageOf(kept(KEY), navigator.languages) });

/** Gives the language of the page. */
export const language = (): Language => chosen.language;

/** Changes the language of the page, and remembers it. */
export function speak(next: Language): void {
  chosen.language = next;
  document.documentElement.lang = next;
  keep(KEY, next);
}
document.documentElement.lang = chosen.language;

/** Gives all that the page says, in its language. */
export const t = (): Strings => STRINGS[chosen.language];

/** Gives what a code of the server means, in the page's language; `text` is the server's own sentence. */
export function sentence(code: string | null | undefined, parameters: Parameters | null | undefined, text: string): string {
  const known = code ? CODES[chosen.language][code] : undefined;
  return known === undefined ? text : filled(known, parameters ?? {});
}

/** Gives what went wrong, in words for a person. */
export function errorText(error: unknown): string {
  if (error instanceof ApiError) return sentence(error.code, error.parameters, error.message);
  if (error instanceof Unreachable) return navigator.onLine ? t().common.away : t().common.offline;
  return t().common.broken;
}

/** Gives the name of a class: a translated one, or that of a model which the page does not know. */
export const className = (name: string): string => t().common.classes[name] ?? name.replaceAll("_", " ");
