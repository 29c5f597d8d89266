import assert from "node:assert/strict";
import { test } from "node:test";
import { crossingParametersOf, crossingQuestionOf, crossingSpan } from "../src/read/crossing-question.ts";
import { linesByCamera, parametersOf, questionOf, timesOf } from "../src/read/question.ts";

const read = (text: string) => questionOf(new URLSearchParams(text));
const again = (text: string): string => parametersOf(read(text)).toString();
const crossings = (text: string) => crossingQuestionOf(new URLSearchParams(text));
const crossingsAgain = (text: string): string => crossingParametersOf(crossings(text)).toString();

test("an address without words asks for today, of all", () => {
  const question = read("");
  assert.deepEqual([question.preset, question.cameras, question.lines, question.stack, question.show, question.compare], ["today", [], [], "direction", "chart", null]);
  assert.equal(again(""), "");
});

test("what is written is read again", () => {
  const full = "camera=gate%2Cdoor&line=gate%2Fa%2Cdoor%2Fb&class=car%2Cbus&direction=forward&span=7d&bucket=1h&tz=Asia%2FKolkata&stack=class&compare=before&generation=2&show=table";
  assert.equal(again(full), full);
  const own = "from=2026-11-01&to=2026-11-08T06%3A00";
  assert.equal(again(own), own);
  assert.equal(read(own).preset, "own");
});

test("repeated words and words with commas are one list, each once", () => {
  assert.deepEqual(read("camera=a&camera=b,a,,c").cameras, ["a", "b", "c"]);
});

test("what cannot be read is passed over, and no list is endless", () => {
  const odd = read("span=own&bucket=2h&tz=Mars/Phobos&direction=up,backward&stack=x&generation=-1&show=y&from=2026-11-08&to=2026-11-01");
  assert.deepEqual([odd.preset, odd.bucket, odd.zone, odd.directions, odd.stack, odd.generation, odd.show, odd.from], ["today", null, null, ["backward"], "direction", null, "chart", null]);
  assert.equal(read("generation=1.5").generation, null);
  assert.equal(read(`camera=${Array.from({ length: 999 }, (_, index) => `c${index}`).join(",")}`).cameras.length, 50);
});

test("an interval that makes no sense for the span gives way to one that does", () => {
  const now = new Date("2026-11-30T12:00:00Z");
  assert.equal(timesOf(read("span=30d&bucket=1m"), now, "UTC").bucket, "1d");
  assert.equal(timesOf(read("span=30d&bucket=1h"), now, "UTC").bucket, "1h");
  assert.deepEqual(timesOf(read("from=2026-11-01&to=2026-11-02"), now, "UTC"), { span: { from: "2026-11-01", to: "2026-11-02" }, bucket: "1h" });
});

test("lines are asked of their cameras alone", () => {
  assert.deepEqual([...linesByCamera(read(""), ["a", "b"])], [["a", []], ["b", []]]);
  assert.deepEqual([...linesByCamera(read("camera=b"), ["a", "b"])], [["b", []]]);
  assert.deepEqual([...linesByCamera(read("line=a/one,a/two"), ["a", "b"])], [["a", ["one", "two"]]]);
  assert.deepEqual([...linesByCamera(read("camera=a,b&line=b/one"), ["a", "b"])], [["b", ["one"]]]);
  assert.deepEqual([...linesByCamera(read("camera=gone"), ["a"])], [["gone", []]]);
});

test("crossings are live without words, and what is written is read again", () => {
  assert.equal(crossings("").preset, "live");
  assert.equal(crossingsAgain(""), "");
  const full = "camera=gate&line=a%2Cb&class=car&direction=backward&mask=no_mask%2Cmask_incorrect&min=0.5&max=0.9&span=yesterday&tz=America%2FSt_Johns&generation=1&before=abc&crossing=gate%2F1%2F2&time=2026-11-30T08%3A02%3A18.062Z";
  assert.equal(crossingsAgain(full), full);
  assert.equal(crossingsAgain("span=live&from=2026-11-01&to=2026-11-02"), "from=2026-11-01&to=2026-11-02");
});

test("odd bounds, masks and crossings of an address are passed over", () => {
  const odd = crossings("min=2&max=x&mask=none&crossing=a&time=now&direction=up");
  assert.deepEqual([odd.least, odd.most, odd.masks, odd.chosen, odd.directions], [null, null, [], null, []]);
  assert.deepEqual([crossings("min=0.8&max=0.2").least, crossings("min=0.8&max=0.2").most], [0.8, null]);
  assert.deepEqual([crossings("min=0&max=1").least, crossings("min=0&max=1").most, crossings("min=").least], [0, 1, null]);
});

test("a live list has no end; a span is that of the zone", () => {
  const now = new Date("2026-11-30T18:30:00Z");
  assert.deepEqual(crossingSpan(crossings(""), now, "UTC"), { from: "2026-10-31T18:30:00.000Z" });
  assert.deepEqual(crossingSpan(crossings("span=today"), now, "Asia/Kolkata"), { from: "2026-12-01", to: "2026-12-02" });
  assert.deepEqual(crossingSpan(crossings("from=2026-11-01&to=2026-11-02"), now, "UTC"), { from: "2026-11-01", to: "2026-11-02" });
});
