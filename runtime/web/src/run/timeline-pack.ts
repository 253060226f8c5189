// Where single bars go in a lane, and what a column of a heat strip shows. Pure.
import type { Lane, Timeline } from "../types";
import { STEP_STATES } from "../words";
import { type Scale, toX } from "./timeline-scale";

// By `STEP_STATES`: what must be seen first where columns meet, the higher wins.
const WEIGHT = [1, 7, 6, 3, 4, 2, 0];

/** The worse of two states, as numbers. */
export function worse(a: number, b: number): number {
  return (WEIGHT[a] ?? 0) >= (WEIGHT[b] ?? 0) ? a : b;
}

/** The rows of bars that overlap in no row, in order of their start: each takes the first row that is free. */
export function pack(start: readonly number[], took: readonly number[]): { row: Uint32Array; rows: number } {
  const order = Array.from(start, (_, i) => i).sort(
    (a, b) => (start[a] as number) - (start[b] as number) || a - b,
  );
  const row = new Uint32Array(start.length);
  const ends: number[] = [];
  for (const i of order) {
    const from = start[i] as number;
    let r = 0;
    while (r < ends.length && (ends[r] as number) > from) r++;
    ends[r] = from + Math.max(took[i] as number, 1);
    row[i] = r;
  }
  return { row, rows: ends.length };
}

/** What each pixel column of a strip shows: its share of the peak, and the worst state, 255 for none. */
export interface Columns {
  share: Float32Array;
  state: Uint8Array;
}

/**
 * The columns of a lane of buckets that begin at `from` and are `width` long; only pixels from `left` to
 * `right` are written, so that a fine answer can lie on a coarse one.
 */
export function columns(
  lane: Lane,
  from: number,
  width: number,
  scale: Scale,
  left: number,
  right: number,
  out: Columns,
): void {
  const peak = Math.max(lane.peak, 1);
  const n = lane.bucket.length;
  for (let i = firstFrom(lane.bucket, (scale.span.from - from) / width - 1); i < n; i++) {
    const t0 = from + (lane.bucket[i] as number) * width;
    if (t0 > scale.span.to) break;
    const x0 = Math.max(Math.floor(toX(scale, t0)), left);
    const x1 = Math.min(Math.max(Math.ceil(toX(scale, t0 + width)), x0 + 1), right);
    // A bucket that is open at the right end would be drawn into the next one's first pixel.
    const share = Math.min((lane.active[i] as number) / peak, 1);
    const state = lane.worst[i] as number;
    for (let x = x0; x < x1; x++) {
      const old = out.state[x] as number;
      if (share > (out.share[x] as number)) out.share[x] = share;
      out.state[x] = old === 255 ? state : worse(old, state);
    }
  }
}

/** The first place in ascending numbers that is not below `least`. */
export function firstFrom(sorted: readonly number[], least: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if ((sorted[mid] as number) < least) low = mid + 1;
    else high = mid;
  }
  return low;
}

/** An answer of single steps as one of `parts` buckets, so that there is one way to draw the whole run. */
export function asBuckets(of: Timeline, parts: number): Timeline {
  if (of.tier !== "steps") return of;
  const width = Math.max(Math.ceil((of.to_us - of.from_us) / parts), 1);
  return {
    ...of,
    tier: "buckets",
    width_us: width,
    lanes: of.lanes.map((lane) => bucketed(lane, of, width)),
  };
}

function bucketed(lane: Lane, of: Timeline, width: number): Lane {
  const cells = new Map<number, { active: number; ended: number; worst: number }>();
  lane.start_us.forEach((start, i) => {
    const end = Math.min(start + (lane.took_us[i] as number), of.to_us);
    const last = Math.floor((end - of.from_us) / width);
    const state = lane.state[i] as number;
    for (let at = Math.max(Math.floor((start - of.from_us) / width), 0); at <= last; at++) {
      const cell = cells.get(at) ?? { active: 0, ended: 0, worst: state };
      cell.active++;
      cell.worst = worse(cell.worst, state);
      if (at === last && STEP_STATES[state] !== "running") cell.ended++;
      cells.set(at, cell);
    }
  });
  const bucket = [...cells.keys()].sort((a, b) => a - b);
  const all = bucket.map((at) => cells.get(at) as { active: number; ended: number; worst: number });
  const active = all.map((cell) => cell.active);
  const peak = Math.max(1, ...active);
  return {
    ...lane,
    peak,
    bucket,
    active,
    ended: all.map((cell) => cell.ended),
    worst: all.map((cell) => cell.worst),
  };
}
