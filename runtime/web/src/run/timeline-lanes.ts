// Where lanes lie under each other. Pure.
import type { Lane, StepStanding, Timeline } from "../types";
import { STEP_STATES } from "../words";
import { pack } from "./timeline-pack";
import type { Span } from "./timeline-scale";

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
/** What is left free above and below. */
export const AROUND_PX = 4;

const packs = new WeakMap<Lane, ReturnType<typeof pack>>();

/** The rows of a lane's bars, which are reckoned once for an answer. */
function packed(lane: Lane): ReturnType<typeof pack> {
  // What still runs will be longer when it is drawn than when it was told.
  const ends = () =>
    lane.took_us.map((took, i) => (STEP_STATES[lane.state[i] as number] === "running" ? Infinity : took));
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
  state: StepStanding;
  /** A single step, with its attempts. */
  step: string | null;
  attempts: number;
  /** Of a bucket. */
  active: number;
  ended: number;
}

/** When a bar begins and ends; one that still runs ends now. */
export function barSpan(bars: Lane, at: number, now: number): Span {
  const from = bars.start_us[at] as number;
  const to = from + (bars.took_us[at] as number);
  return { from, to: STEP_STATES[bars.state[at] as number] === "running" ? Math.max(to, now) : to };
}
