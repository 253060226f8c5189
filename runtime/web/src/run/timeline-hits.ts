// What is at a place of the picture, and what is next to it. Pure.
import type { Lane, Timeline } from "../types";
import { STEP_STATES } from "../words";
import { AROUND_PX, barSpan, type Hit, type Picture, type Placed, STRIP_PX } from "./timeline-lanes";
import { firstFrom } from "./timeline-pack";
import { type Scale, type Span, toTime, toX } from "./timeline-scale";

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
function barHit(lane: Placed, scale: Scale, at: number, now: number): Hit | null {
  const bars = lane.fine;
  const step = bars?.step[at];
  if (!bars || step === undefined || lane.row === null) return null;
  const span = barSpan(bars, at, now);
  const x = Math.max(toX(scale, span.from), -4);
  const w = Math.max(Math.min(toX(scale, span.to), scale.width + 4) - x, 1.5);
  const y = lane.top + AROUND_PX + (lane.row[at] as number) * lane.rowPx;
  const state = STEP_STATES[bars.state[at] as number] ?? "waiting";
  const attempts = bars.attempts[at] as number;
  return { lane, at, box: { x, y, w, h: lane.rowPx - 1 }, span, state, step, attempts, active: 0, ended: 0 };
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
  const state = STEP_STATES[from.lane.worst[at] as number] ?? "waiting";
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
