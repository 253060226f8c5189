import assert from "node:assert/strict";
import { test } from "node:test";
import { fitted, pathOf, shorten, zoomed } from "../src/run/graph-place";

test("a graph fits the width of its area", () => {
  const frame = fitted({ width: 1000, height: 100 }, { w: 532, h: 400 });
  assert.equal(frame.scale, 0.5);
  assert.equal(frame.x, 16);
});

test("zooming keeps what is under the pointer where it is", () => {
  const frame = { x: 10, y: 20, scale: 1 };
  const next = zoomed(frame, 2, 110, 120);
  assert.equal((110 - next.x) / next.scale, 100);
  assert.equal((120 - next.y) / next.scale, 100);
});

test("a line goes down with upright ends, and has a head", () => {
  const { line, head } = pathOf([
    [0, 0],
    [0, 100],
    [50, 207],
  ]);
  assert.equal(line, "M0 0V100C0 150 50 150 50 200");
  assert.equal(head, "M50 207L45.5 200L54.5 200Z");
  assert.deepEqual(pathOf([[1, 1]]), { line: "", head: "" });
});

test("a long name is cut at characters", () => {
  assert.equal(shorten("ключ-ключ", 5), "ключ…");
  assert.equal(shorten("abc", 3), "abc");
});
