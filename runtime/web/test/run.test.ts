import assert from "node:assert/strict";
import { test } from "node:test";
import { merge } from "../src/run/merge";
import { Pace, rest } from "../src/run/rate";
import { rowsOf, scopeEnd, sorted } from "../src/run/rows";
import { endedOver } from "../src/run/spark";
import type { FailureGroup, Live, Op, RunDetail, Timeline } from "../src/types";

function op(node: number, depth: number, first = false): Op {
  const counts = {
    succeeded: node,
    failed: 0,
    upstream_failed: 0,
    skipped: 0,
    cancelled: 0,
    running: 0,
    waiting: 0,
  };
  return { node, name: `op${node}`, depth, first, kind: "op", counts, known: node, growing: false } as Op;
}

/** load, then [a, split, then [b, c], d], then a second fan-out [e], then end. */
const OPS = [
  op(0, 0),
  op(1, 1, true),
  op(2, 1),
  op(3, 2, true),
  op(4, 2),
  op(5, 1),
  op(6, 1, true),
  op(7, 0),
];

test("a fan-out ends where its depth does, or where another begins beside it", () => {
  assert.equal(scopeEnd(OPS, 1), 6);
  assert.equal(scopeEnd(OPS, 3), 5);
  assert.equal(scopeEnd(OPS, 6), 7);
});

test("a folded fan-out is one row with all that lies in it", () => {
  const nodes = (folded: number[]) => rowsOf(OPS, new Set(folded)).map((row) => row.op.node);
  assert.deepEqual(nodes([]), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(nodes([3]), [0, 1, 2, 3, 5, 6, 7]);
  assert.deepEqual(nodes([1, 3]), [0, 1, 6, 7]);
  // One op alone has nothing to fold.
  assert.deepEqual(nodes([6]), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(
    rowsOf(OPS, new Set([1]))[1]?.hidden.map((op) => op.node),
    [2, 3, 4, 5],
  );
});

test("ops are sorted both ways, and stay as they are by a column that is not there", () => {
  const nodes = (sort: string) => sorted(OPS, sort).map((op) => op.node);
  assert.deepEqual(nodes("-done"), [7, 6, 5, 4, 3, 2, 1, 0]);
  assert.deepEqual(nodes("done"), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(nodes("nothing"), [0, 1, 2, 3, 4, 5, 6, 7]);
});

const group = (node: number, pattern: string, count: number) => ({ node, pattern, count }) as FailureGroup;
const DETAIL = {
  seq: 5,
  run: { state: "running" },
  ops: OPS,
  failures: [group(1, "x", 1), group(1, "y", 2)],
};

test("a live message changes what it tells of, and leaves the rest", () => {
  const now = { ...op(2, 1), known: 9 };
  const live = {
    seq: 6,
    state: "failed",
    ops: { 2: now },
    failures: [group(1, "x", 3), group(2, "x", 1)],
    running: [],
  };
  const after = merge(DETAIL as unknown as RunDetail, live as unknown as Live);
  assert.equal(after.run.state, "failed");
  assert.deepEqual(
    after.ops.map((op) => op.known),
    [0, 1, 9, 3, 4, 5, 6, 7],
  );
  assert.equal(after.ops[1], OPS[1]);
  assert.deepEqual(
    after.failures.map((group) => group.count),
    [3, 2, 1],
  );
});

test("a message from before what is known changes nothing", () => {
  const live = { seq: 4, state: "failed", ops: {}, failures: [], running: [] };
  assert.equal(merge(DETAIL as unknown as RunDetail, live as unknown as Live), DETAIL);
});

test("a rate is that of the last seconds, and none before there are enough", () => {
  const pace = new Pace();
  pace.add(0, 0);
  pace.add(1, 1000);
  assert.equal(pace.rate(), null);
  for (let at = 2; at <= 100; at += 1) pace.add(at, 1000 + (at - 1) * 10);
  assert.equal(pace.rate(), 10);
  // Resumed: fewer have ended than before.
  pace.add(101, 5);
  assert.equal(pace.rate(), null);
  pace.add(103, 25);
  assert.equal(pace.rate(), 10);
});

test("the rest is told only where it is known", () => {
  assert.equal(rest(100, 50, false, 10), 5);
  assert.equal(rest(100, 50, true, 10), null);
  assert.equal(rest(100, 50, false, 0), null);
  assert.equal(rest(100, 100, false, 10), null);
});

test("a drawing counts the steps that ended by column", () => {
  const strips = { from_us: 0, to_us: 100, width_us: 10, tier: "buckets" } as Timeline;
  const lane = { bucket: [0, 9], ended: [2, 3] };
  assert.deepEqual(endedOver(lane as never, strips, 4), [2, 0, 0, 3]);
});
