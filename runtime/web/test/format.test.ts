import assert from "node:assert/strict";
import { test } from "node:test";
import { clock, count, counted, duration, rate } from "../src/format";

test("counts have thin spaces", () => {
  assert.equal(count(999), "999");
  assert.equal(count(31_402), "31\u202f402");
  assert.equal(count(1_000_000), "1\u202f000\u202f000");
  assert.equal(counted(1, "step"), "1 step");
  assert.equal(counted(2, "retry", "retries"), "2 retries");
});

test("durations have three digits that tell, and then two units", () => {
  assert.equal(duration(0), "0 s");
  assert.equal(duration(0.000_42), "420 µs");
  assert.equal(duration(0.0042), "4.2 ms");
  assert.equal(duration(0.018), "18 ms");
  assert.equal(duration(1.2399), "1.24 s");
  assert.equal(duration(12.44), "12.4 s");
  assert.equal(duration(59.96), "1 m 00 s");
  assert.equal(duration(137), "2 m 17 s");
  assert.equal(duration(3_720), "1 h 02 m");
  assert.equal(duration(273_600), "3 d 04 h");
});

test("a clock has whole seconds from ten on", () => {
  assert.equal(clock(1.24), "1.2 s");
  assert.equal(clock(12.9), "12 s");
  assert.equal(clock(137.9), "2 m 17 s");
});

test("what is rarer than once a second is told per minute", () => {
  assert.equal(rate(727.3), "727/s");
  assert.equal(rate(3.21), "3.2/s");
  assert.equal(rate(0.2), "12/min");
});
