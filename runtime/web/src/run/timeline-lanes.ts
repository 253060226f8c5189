// Where lanes lie under each other, and what is at a place of the picture. Pure.
import type { Lane, Timeline } from "../types";
import { firstFrom, pack, STATES } from "./timeline-pack";
import { type Scale, type Span, toTime, toX } from "./timeline-scale";

/** A lane with its place. */
export interface Placed {
  node: number;
  name: string;
  top: number;
  height: number;
  /** The lane over the run's whole time, and over the window, each with the answer that it is of. */
  coarse: Lane | undefined;
  fine: Lane | undefined;
  /** The rows of single bars; `null` for a strip. */
  row: Uint32Array | null;
  rowPx: number;
}

/** All lanes. */
export interface Picture {
  overview: Timeline;
  fine: Timeline | null;
  lanes: Placed[];
  height: number;
}

/** The height of a strip, and of a lane in which nothing is. */
export const STRIP_PX = 30;
const AROUND_PX = 4;

const packs = new WeakMap<Lane, ReturnType<typeof pack>>();

/** The rows of a lane's bars, which are reckoned once for an answer. */
function packed(lane: Lane): ReturnType<typeof pack> {
  // What still runs will be longer when it is drawn than when it was told.
  const ends = () =>
    lane.took_us.map((took, i) => (STATES[lane.state[i] as number] === "running" ? Infinity : took));
  const known = packs.get(lane) ?? pack(lane.start_us, ends());
  packs.set(lane, known);
  return known;
}

/** Lays out the lanes of a window: those of the graph, or of one op. */
export function picture(overview: Timeline, fine: Timeline | null, op: string | null): Picture {
  const byNode = new Map(fine?.lanes.map((lane) => [lane.node, lane]));
  const bars = fine?.tier === "steps";
  let top = 0;
  const lanes: Placed[] = [];
  for (const coarse of overview.lanes) {
    if (op !== null && coarse.name !== op) continue;
    const lane = byNode.get(coarse.node);
    const rows = bars && lane ? packed(lane) : null;
    const rowPx = rows === null ? 0 : rows.rows <= 16 ? 19 : rows.rows <= 60 ? 9 : 4;
    const height = Math.max(STRIP_PX, (rows?.rows ?? 0) * rowPx) + AROUND_PX * 2;
    const row = rows?.row ?? (bars ? new Uint32Array(0) : null);
    lanes.push({ node: coarse.node, name: coarse.name, top, height, coarse, fine: lane, row, rowPx });
    top += height;
  }
  return { overview, fine, lanes, height: top };
}

/** Something that can be pointed at. */
export interface Hit {
  lane: Placed;
  /** Which bar, or which bucket. */
  at: number;
  box: { x: number; y: number; w: number; h: number };
  span: Span;
  state: (typeof STATES)[number];
  /** A single step, with its attempts. */
  step: string | null;
  attempts: number;
  /** Of a bucket. */
  active: number;
  ended: number;
}

/** The lane at a height. */
export function laneAt(of: Picture, y: number): Placed | undefined {
  return of.lanes.find((lane) => y >= lane.top && y < lane.top + lane.height);
}

/** What is at a place. */
export function hitAt(of: Picture, scale: Scale, x: number, y: number, now: number): Hit | null {
  const lane = laneAt(of, y);
  if (!lane) return null;
  if (lane.row === null) return bucketHit(of, lane, scale, toTime(scale, x));
  const row = Math.floor((y - lane.top - AROUND_PX) / Math.max(lane.rowPx, 1));
  const bars = lane.fine;
  for (let i = 0; i < (bars?.step.length ?? 0); i++) {
    if (lane.row[i] !== row) continue;
    const hit = barHit(lane, scale, i, now);
    // A bar of a hair's width can still be hit.
    if (hit && x >= hit.box.x - 2 && x <= hit.box.x + hit.box.w + 2) return hit;
  }
  return null;
}

/** The bar at a place in its lane. */
export function barHit(lane: Placed, scale: Scale, at: number, now: number): Hit | null {
  const bars = lane.fine;
  const step = bars?.step[at];
  if (!bars || step === undefined || lane.row === null) return null;
  const span = barSpan(bars, at, now);
  const x = Math.max(toX(scale, span.from), -4);
  const w = Math.max(Math.min(toX(scale, span.to), scale.width + 4) - x, 1.5);
  const y = lane.top + AROUND_PX + (lane.row[at] as number) * lane.rowPx;
  const state = STATES[bars.state[at] as number] ?? "waiting";
  const attempts = bars.attempts[at] as number;
  return { lane, at, box: { x, y, w, h: lane.rowPx - 1 }, span, state, step, attempts, active: 0, ended: 0 };
}

/** When a bar begins and ends; one that still runs ends now. */
export function barSpan(bars: Lane, at: number, now: number): Span {
  const from = bars.start_us[at] as number;
  const to = from + (bars.took_us[at] as number);
  return { from, to: STATES[bars.state[at] as number] === "running" ? Math.max(to, now) : to };
}

/** The buckets that a time is drawn from: the window's where it has them, else the whole run's. */
function source(of: Picture, lane: Placed, time: number): { lane: Lane; from: number; width: number } | null {
  const fine = of.fine;
  if (fine?.tier === "buckets" && lane.fine && time >= fine.from_us && time <= fine.to_us)
    return { lane: lane.fine, from: fine.from_us, width: Math.max(fine.width_us, 1) };
  if (!lane.coarse) return null;
  return { lane: lane.coarse, from: of.overview.from_us, width: Math.max(of.overview.width_us, 1) };
}

function bucketHit(of: Picture, lane: Placed, scale: Scale, time: number): Hit | null {
  const from = source(of, lane, time);
  if (!from) return null;
  const at = firstFrom(from.lane.bucket, Math.floor((time - from.from) / from.width));
  const hit = bucketBox(from, lane, scale, at);
  return hit && hit.span.from <= time ? hit : null;
}

function bucketBox(
  from: { lane: Lane; from: number; width: number },
  lane: Placed,
  scale: Scale,
  at: number,
): Hit | null {
  const bucket = from.lane.bucket[at];
  if (bucket === undefined) return null;
  const span = { from: from.from + bucket * from.width, to: from.from + (bucket + 1) * from.width };
  const x = toX(scale, span.from);
  const w = Math.max(toX(scale, span.to) - x, 1);
  const box = { x, y: lane.top + AROUND_PX, w, h: STRIP_PX };
  const state = STATES[from.lane.worst[at] as number] ?? "waiting";
  const active = from.lane.active[at] as number;
  return {
    lane,
    at,
    box,
    span,
    state,
    step: null,
    attempts: 0,
    active,
    ended: from.lane.ended[at] as number,
  };
}

/** The next thing to the right (`by` 1) or left (-1) of a time in a lane, for the keyboard. */
export function nextHit(
  of: Picture,
  lane: Placed,
  scale: Scale,
  from: Hit | null,
  by: 1 | -1,
  now: number,
): Hit | null {
  const start = from?.lane === lane || from ? from.span.from : by > 0 ? scale.span.from : scale.span.to;
  if (lane.row !== null) return nextBar(lane, scale, from?.lane === lane ? from.at : null, by, now);
  const buckets = source(of, lane, Math.min(Math.max(start, scale.span.from), scale.span.to));
  if (!buckets) return null;
  let at = firstFrom(buckets.lane.bucket, Math.floor((start - buckets.from) / buckets.width));
  const old = from?.lane === lane ? from.box.x : null;
  // Narrow buckets are stepped over by what an eye can follow.
  for (let hit = bucketBox(buckets, lane, scale, at); hit; hit = bucketBox(buckets, lane, scale, at)) {
    const seen = hit.span.to > scale.span.from && hit.span.from < scale.span.to;
    if (seen && (old === null || Math.abs(hit.box.x - old) >= 3)) return hit;
    at += by;
  }
  return null;
}

function nextBar(lane: Placed, scale: Scale, from: number | null, by: 1 | -1, now: number): Hit | null {
  const bars = lane.fine;
  if (!bars) return null;
  let best = -1;
  const key = (i: number) => (bars.start_us[i] as number) + i * 1e-4;
  const old = from === null ? -by * Infinity : key(from);
  for (let i = 0; i < bars.step.length; i++) {
    if ((key(i) - old) * by <= 0 || (bars.start_us[i] as number) > scale.span.to) continue;
    if (barSpan(bars, i, now).to < scale.span.from) continue;
    if (best < 0 || (key(i) - key(best)) * by < 0) best = i;
  }
  return best < 0 ? null : barHit(lane, scale, best, now);
}

/** When a lane's op began and ended, for a double click on it. */
export function extent(overview: Timeline, lane: Lane): Span | null {
  const first = lane.bucket[0];
  const last = lane.bucket.at(-1);
  if (first === undefined || last === undefined) return null;
  const width = Math.max(overview.width_us, 1);
  return { from: overview.from_us + first * width, to: overview.from_us + (last + 1) * width };
}
