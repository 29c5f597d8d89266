import assert from "node:assert/strict";
import { test } from "node:test";
import { LINE_COLORS, freeColor } from "../src/colors.ts";

test("a new line gets a colour that no other line has, nor one that looks like it", () => {
  assert.equal(freeColor([]), LINE_COLORS[0]);
  assert.equal(freeColor([LINE_COLORS[0]]), LINE_COLORS[1]);
  const demo = ["#ff6b35", "#2ec4b6"];
  assert.equal(freeColor(demo), "#f5b100");
  assert.equal(freeColor([...demo, "#f5b100"]), "#4ea8ff");
});

test("where all colours are taken, they come again", () => {
  assert.equal(freeColor(LINE_COLORS), LINE_COLORS[0]);
});
