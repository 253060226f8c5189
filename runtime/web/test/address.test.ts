import assert from "node:assert/strict";
import { test } from "node:test";
import { formatQuery, parseQuery, split, to } from "../src/address";
import { formatTime, parseTime } from "../src/run/selection";

const HARD = ["a/b", "ä b", "100%", "x[1][2]", "<b>", "‮", "a&b=c", "#?", "'", "..", "+"];

test("any name survives a path and a query", () => {
  for (const name of HARD) {
    assert.deepEqual(split(to(["runs", name])), ["runs", name]);
    assert.deepEqual(parseQuery(formatQuery({ step: name })), { step: name });
  }
});

test("names of steps stay readable in a query, and what is empty is left out", () => {
  assert.equal(
    formatQuery({ step: "compute[2024-01-07]", op: "", q: null, from: 0 }),
    "?step=compute[2024-01-07]&from=0",
  );
  assert.equal(formatQuery({}), "");
});

test("a path that is badly encoded is taken as it is", () => {
  assert.deepEqual(split("/runs/%zz"), ["runs", "%zz"]);
});

test("times are read with and without their unit", () => {
  assert.equal(parseTime("12.5s"), 12.5);
  assert.equal(parseTime("14"), 14);
  assert.equal(parseTime("soon"), null);
  assert.equal(parseTime(undefined), null);
  assert.equal(formatTime(0.1 + 0.2), "0.3s");
  assert.equal(parseTime(formatTime(1e-6)), 1e-6);
});
