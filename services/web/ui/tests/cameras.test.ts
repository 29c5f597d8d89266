import assert from "node:assert/strict";
import { test } from "node:test";
import type { Camera } from "../src/api/types.ts";
import { TILINGS, coresOf, mayVerify, modelFor, modelOf, passesOf } from "../src/cameras/cost.ts";
import { MAKES, addressAt } from "../src/cameras/makes.ts";
import { kindOf, lackOf } from "../src/cameras/source.ts";
import { nextStep, ownCamera } from "../src/cameras/steps.ts";

const HIKVISION = MAKES.find((make) => make.id === "hikvision");

test("an address is put together, with passwords of any signs", () => {
  const pattern = HIKVISION?.main ?? "";
  assert.equal(addressAt(pattern, { host: "10.0.0.7", user: "admin", password: "p@ss:/?#$&" }),
    "rtsp://admin:p%40ss%3A%2F%3F%23%24%26@10.0.0.7:554/Streaming/Channels/101");
  assert.equal(addressAt(pattern, { host: " http://cam.local:80/x ", user: "", password: "" }), "rtsp://cam.local:554/Streaming/Channels/101");
  assert.equal(addressAt(pattern, { host: "fe80::1", user: "a", password: "" }), "rtsp://a@[fe80::1]:554/Streaming/Channels/101");
});

test("every make has a full picture, and no address keeps a placeholder", () => {
  for (const make of MAKES) {
    for (const pattern of [make.main, make.sub ?? make.main]) {
      assert.doesNotMatch(addressAt(pattern, { host: "h", user: "u", password: "p" }), /[{}]/);
    }
  }
});

test("what a rate costs is a share of a core, where that was measured", () => {
  assert.equal(coresOf(10, 12), 0.12);
  assert.equal(coresOf(10, null), null);
  assert.equal(coresOf(null, 12), null);
  assert.equal(modelFor(" demo://masks"), "mask");
  assert.equal(modelFor("rtsp://a/b"), "traffic");
});

test("tiles cost a pass each, and one for the whole picture", () => {
  assert.deepEqual(["1x1", "2x1", "2x2", "4x4"].map(passesOf), [1, 3, 5, 17]);
  assert.ok(TILINGS.every((tiles) => /^[1-4]x[1-4]$/.test(tiles)));
});

test("the first steps lead from the demo to a count of one's own", () => {
  const demo = { id: "demo", url: "demo://traffic" } as Camera;
  const gate = { id: "gate", url: "rtsp://h/1" } as Camera;
  assert.equal(ownCamera([demo]), null);
  assert.equal(ownCamera([demo, gate])?.id, "gate");
  assert.equal(nextStep(null, null, null), "camera");
  assert.equal(nextStep(gate, null, null), null);
  assert.equal(nextStep(gate, 0, null), "line");
  assert.equal(nextStep(gate, 1, 0), "count");
  assert.equal(nextStep(gate, 1, 3), null);
});

test("a model is found by the name that stands for it, so that its cost can be told", () => {
  const known = [{ name: "mask-n", aliases: ["mask"] }, { name: "traffic-n", aliases: ["traffic"] }, { name: "traffic" }];
  assert.equal(modelOf(known, "mask")?.name, "mask-n");
  assert.equal(modelOf(known, "traffic")?.name, "traffic");
  assert.equal(modelOf(known.slice(0, 2), "traffic")?.name, "traffic-n");
  assert.equal(modelOf(known, "other"), undefined);
});

test("an address of a camera without its scheme is no path of a file", () => {
  assert.equal(lackOf("camera", " 192.168.1.20 "), "scheme");
  assert.equal(lackOf("camera", "camera.local:554/stream1"), "scheme");
  assert.equal(lackOf("camera", "  "), "address");
  assert.equal(lackOf("camera", "rtsp://192.168.1.20/stream1"), null);
  assert.equal(lackOf("file", "/videos/gate.mp4"), null);
  assert.equal(lackOf("demo", "demo://masks"), null);
  assert.deepEqual(["", "rtsps://h/1", "/videos/a.mp4", "demo://masks"].map(kindOf), ["camera", "camera", "file", "demo"]);
});

test("a second opinion is offered for the mask model of one stage, and for what may be one", () => {
  const masks = ["mask", "no_mask", "mask_incorrect"];
  assert.equal(mayVerify("mask", masks), true);
  assert.equal(mayVerify("face+mobilenetv2", masks), false);
  assert.equal(mayVerify("traffic-n", ["person", "car"]), false);
  assert.equal(mayVerify("/srv/site.onnx", ["mask", "no_mask", "helmet"]), false, "a model of protective clothing");
  assert.deepEqual(["mask", "mask-s", "/srv/mine.onnx", "traffic", "face+x.onnx"].map((model) => mayVerify(model, undefined)), [true, true, true, false, false]);
});
