import assert from "node:assert/strict";
import { test } from "node:test";
import { latest } from "../src/latest.ts";

test("an answer that is overtaken by a later one is dropped", async () => {
  const answers: ((value: string) => void)[] = [];
  const ask = latest(() => new Promise<string>((resolve) => answers.push(resolve)));
  const [early, late] = [ask(), ask()];
  answers[1]?.("new");
  assert.equal(await late, "new");
  answers[0]?.("old");
  assert.equal(await early, null);
});
