import assert from "node:assert/strict";
import { test } from "node:test";
import { asBuckets, columns, pack, worse } from "../src/run/timeline-pack.ts";
import { FOLD_PX, scaleOf, ticks, tickText, toTime, toX } from "../src/run/timeline-scale.ts";
import { isWhole, LEAST_US, panBy, selected, zoomAt } from "../src/run/timeline-zoom.ts";
import type { Lane } from "../src/types.ts";

const near = (a: number, b: number, by = 1e-6) => assert.ok(Math.abs(a - b) <= by, `${a} is not near ${b}`);
const whole = { from: 0, to: 1_000_000 };

test("time and pixel are each other's inverse", () => {
  const scale = scaleOf({ from: 200, to: 1200 }, 500, []);
  near(toX(scale, 200), 0);
  near(toX(scale, 1200), 500);
  for (const x of [0, 3.5, 250, 499]) near(toX(scale, toTime(scale, x)), x);
});

test("a long gap is folded to a fixed width, and times around it keep their order", () => {
  const gaps = [{ from: 100_000, to: 900_000 }];
  const scale = scaleOf(whole, 626, gaps);
  near(toX(scale, 900_000) - toX(scale, 100_000), FOLD_PX);
  near(toX(scale, 100_000), 300);
  near(toX(scale, 1_000_000), 626);
  near(toTime(scale, 300), 100_000);
  near(toTime(scale, 313), 500_000);
});

test("a gap that takes no room is not folded", () => {
  assert.equal(scaleOf(whole, 500, [{ from: 10_000, to: 20_000 }]).pieces.length, 1);
});

test("a window within a gap is not folded", () => {
  const scale = scaleOf({ from: 200_000, to: 300_000 }, 500, [{ from: 100_000, to: 900_000 }]);
  assert.equal(scale.pieces.length, 1);
});

test("zooming keeps the time under the pointer where it is", () => {
  const scale = scaleOf({ from: 100_000, to: 900_000 }, 800, []);
  const at = toTime(scale, 200);
  const closer = scaleOf(zoomAt(scale, 200, 0.5, whole, []), 800, []);
  near(toX(closer, at), 200, 1e-3);
  near(closer.span.to - closer.span.from, 400_000, 1e-3);
});

test("zooming out ends at the whole run, zooming in at the least window", () => {
  let scale = scaleOf({ from: 400_000, to: 500_000 }, 800, []);
  for (let i = 0; i < 20; i++) scale = scaleOf(zoomAt(scale, 100, 2, whole, []), 800, []);
  assert.ok(isWhole(scale.span, whole));
  for (let i = 0; i < 60; i++) scale = scaleOf(zoomAt(scale, 400, 0.5, whole, []), 800, []);
  near(scale.span.to - scale.span.from, LEAST_US, 1e-3);
});

test("zooming in on one side of a fold leaves the fold behind", () => {
  const gaps = [{ from: 100_000, to: 900_000 }];
  let scale = scaleOf(whole, 626, gaps);
  for (let i = 0; i < 3; i++) scale = scaleOf(zoomAt(scale, 100, 0.5, whole, gaps), 626, gaps);
  assert.ok(scale.span.to <= 100_000);
});

test("panning stays in the run and keeps the window's length", () => {
  const scale = scaleOf({ from: 400_000, to: 500_000 }, 800, []);
  const right = panBy(scale, 10_000, whole, []);
  near(right.to, 1_000_000);
  near(right.to - right.from, 100_000);
  near(panBy(scale, -8, whole, []).from, 399_000);
});

test("what is dragged over becomes the window", () => {
  const scale = scaleOf(whole, 1000, []);
  assert.deepEqual(selected(scale, 700, 300, whole), { from: 300_000, to: 700_000 });
});

test("ticks are at round times and not too near", () => {
  const scale = scaleOf({ from: 0, to: 60e6 }, 600, []);
  assert.deepEqual(ticks(scale.pieces[0] as never, 80).times, [0, 10e6, 20e6, 30e6, 40e6, 50e6, 60e6]);
  assert.equal(tickText(12_500_000, 500_000), "12.5 s");
  assert.equal(tickText(1_250, 50), "1.25 ms");
  assert.equal(tickText(3_850e6, 10e6), "1:04:10");
  assert.equal(tickText(97_200e6, 3_600e6), "1 d 03:00");
  assert.equal(tickText(90e6, 30e6), "1:30");
  assert.equal(tickText(600_050_000, 50_000), "10:00.05");
  assert.equal(tickText(119_999_999, 1e6), "2:00");
});

test("bars of one row never overlap, and each lies as high as it can", () => {
  const { row, rows } = pack([0, 5, 10, 11], [10, 10, 10, 1]);
  assert.deepEqual([...row], [0, 1, 0, 2]);
  assert.equal(rows, 3);
});

test("seeded random bars: rows are as many as bars are active at once, no overlap", () => {
  let seed = 7;
  const random = () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 2147483648;
  };
  const start = Array.from({ length: 500 }, () => Math.floor(random() * 10_000));
  const took = Array.from({ length: 500 }, () => 1 + Math.floor(random() * 300));
  const { row, rows } = pack(start, took);
  const active = Math.max(
    ...start.map((t) => start.filter((s, j) => s <= t && t < s + (took[j] as number)).length),
  );
  assert.equal(rows, active, "seed 7");
  const last = new Map<number, number>();
  for (const i of start
    .map((_, i) => i)
    .sort((a, b) => (start[a] as number) - (start[b] as number) || a - b)) {
    assert.ok((last.get(row[i] as number) ?? 0) <= (start[i] as number), "seed 7");
    last.set(row[i] as number, (start[i] as number) + (took[i] as number));
  }
});

const lane = (over: Partial<Lane>): Lane => ({
  node: 0,
  name: "a",
  peak: 10,
  bucket: [],
  active: [],
  ended: [],
  worst: [],
  step: [],
  start_us: [],
  took_us: [],
  state: [],
  attempts: [],
  ...over,
});

test("a column shows the highest share and the worst state of its buckets", () => {
  const out = { share: new Float32Array(10), state: new Uint8Array(10).fill(255) };
  const strip = lane({ bucket: [0, 1, 5], active: [10, 5, 2], worst: [0, 1, 5] });
  columns(strip, 0, 50, scaleOf({ from: 0, to: 1000 }, 10, []), 0, 10, out);
  assert.deepEqual([...out.state].slice(0, 4), [1, 255, 5, 255]);
  assert.equal(out.share[0], 1);
  near(out.share[2] as number, 0.2);
});

test("a failure is never hidden by what is not one", () => {
  assert.equal(worse(0, 1), 1);
  assert.equal(worse(1, 2), 1);
  assert.equal(worse(5, 0), 5);
  assert.equal(worse(6, 0), 0);
});

test("few steps become buckets: what ran in each, and what ended", () => {
  const answer = {
    ...{ tier: "steps", from_us: 0, to_us: 1000, end_us: 1000, width_us: 0, gaps: [], seq: 1 },
    lanes: [
      lane({ step: ["a", "b"], start_us: [0, 100], took_us: [250, 100], state: [0, 1], attempts: [1, 1] }),
    ],
  };
  const made = asBuckets(answer, 10);
  assert.equal(made.width_us, 100);
  const strip = made.lanes[0] as Lane;
  assert.deepEqual(strip.bucket, [0, 1, 2]);
  assert.deepEqual(strip.active, [1, 2, 2]);
  assert.deepEqual(strip.ended, [0, 0, 2]);
  assert.deepEqual(strip.worst, [0, 1, 1]);
  assert.equal(strip.peak, 2);
});
