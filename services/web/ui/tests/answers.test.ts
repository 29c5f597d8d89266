import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, Unreachable, answer, answerOf } from "../src/api/answers.ts";

const said = (status: number, body: { data?: object; error?: unknown }) =>
  Promise.resolve({ ...body, response: new Response(null, { status }) });

test("a refusal is told in the server's words", async () => {
  const problem = { type: "about:blank", title: "Conflict", status: 409, detail: "there is a camera 'gate' already" };
  const refused = await answer(said(409, { error: problem })).catch((error: unknown) => error);
  assert.ok(refused instanceof ApiError);
  assert.deepEqual([refused.status, refused.message], [409, problem.detail]);
  for (const odd of ["<html>", null, undefined, 5]) {
    await assert.rejects(answer(said(502, { error: odd })), (error: unknown) => error instanceof ApiError && error.message === "HTTP 502");
  }
});

test("what is no answer of Sightline is none", async () => {
  await assert.rejects(answer(Promise.reject(new TypeError("Failed to fetch"))), Unreachable);
  await assert.rejects(answer(Promise.reject(new SyntaxError("Unexpected token <"))), Unreachable);
  await assert.rejects(answerOf(said(200, {})), Unreachable);
  assert.equal(await answer(said(204, {})), undefined);
  assert.deepEqual(await answerOf(said(200, { data: { items: [] } })), { items: [] });
});
