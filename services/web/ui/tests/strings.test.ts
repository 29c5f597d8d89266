import assert from "node:assert/strict";
import { test } from "node:test";
import { filled } from "../src/strings/codes.ts";
import { de } from "../src/strings/de/index.ts";
import { en } from "../src/strings/en/index.ts";
import { languageOf } from "../src/strings/languages.ts";

/** Every sentence by its path; functions are called with words that stand out. */
function sentences(of: object, at = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(of)) {
    const path = at ? `${at}.${key}` : key;
    if (typeof value === "string") found.set(path, value);
    else if (typeof value === "function") found.set(`${path}()`, String(value.length));
    else if (value) for (const [inner, text] of sentences(value as object, path)) found.set(inner, text);
  }
  return found;
}

test("German says all that English says, and nothing else", () => {
  const [english, german] = [sentences(en), sentences(de)];
  assert.deepEqual([...german.keys()].sort(), [...english.keys()].sort());
  for (const [path, text] of german) assert.notEqual(text.trim(), "", path);
});

test("German is not English left as it was", () => {
  const [english, german] = [sentences(en), sentences(de)];
  const long = [...english].filter(([, text]) => text.split(" ").length > 2);
  assert.ok(long.length > 5);
  for (const [path, text] of long) assert.notEqual(german.get(path), text, path);
});

test("a browser gets the first of its languages that there is, a person the one they chose", () => {
  assert.equal(languageOf(null, ["fr-FR", "de-AT", "en"]), "de");
  assert.equal(languageOf(null, ["EN-gb"]), "en");
  assert.equal(languageOf(null, ["fr", "ja"]), "en");
  assert.equal(languageOf("de", ["en"]), "de");
  assert.equal(languageOf("xx", ["de"]), "de");
  assert.equal(languageOf("toString", ["constructor", "de"]), "de");
});

test("a sentence of a code takes its parameters, and keeps what is missing visible", () => {
  assert.equal(filled("There is already a camera {id}.", { id: "gate" }), "There is already a camera gate.");
  assert.equal(filled("{a} and {b}", { a: 0 }), "0 and {b}");
});

test("a sentence within a sentence is translated too", () => {
  const dictionary = { down: "Kein Bild: {reason}", refused: "{host} hat abgelehnt" };
  const parameters = { reason: "gate refused", reason_code: "refused", reason_host: "gate" };
  assert.equal(filled(dictionary.down, parameters, dictionary), "Kein Bild: gate hat abgelehnt");
  assert.equal(filled(dictionary.down, { ...parameters, reason_code: "other" }, dictionary), "Kein Bild: gate refused");
  assert.equal(filled("{n}", { n: 0.5 }, {}, (value) => value.toLocaleString("de")), "0,5");
});
