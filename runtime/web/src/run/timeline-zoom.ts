// Which window is seen after zooming and moving; long gaps do not count. Pure.
import { type Scale, type Span, toTime } from "./timeline-scale";

/** The narrowest window: nothing in a run is told apart below it. */
export const LEAST_US = 50;

/** A time without the gaps before it: what zooming and panning reckon in. */
function shrink(gaps: readonly Span[], time: number): number {
  let hidden = 0;
  for (const gap of gaps) {
    if (time <= gap.from) break;
    hidden += Math.min(time, gap.to) - gap.from;
  }
  return time - hidden;
}

/** The time that [`shrink`] took away from; at a gap, its end or its beginning. */
function stretch(gaps: readonly Span[], short: number, afterGap: boolean): number {
  let time = short;
  for (const gap of gaps) {
    if (afterGap ? time < gap.from : time <= gap.from) break;
    time += gap.to - gap.from;
  }
  return time;
}

/** The window after zooming by `factor` (below 1: closer) with the time under `x` staying there. */
export function zoomAt(scale: Scale, x: number, factor: number, whole: Span, gaps: readonly Span[]): Span {
  // Within a gap, nothing is folded, and gaps must not be jumped over.
  const folds = scale.pieces.length > 1 || factor > 1 ? gaps : [];
  const from = shrink(folds, scale.span.from);
  const long = Math.max(shrink(folds, scale.span.to) - from, LEAST_US);
  const most = shrink(folds, whole.to) - shrink(folds, whole.from);
  const at = scale.width > 0 ? shrink(folds, toTime(scale, x)) : from + long / 2;
  const next = Math.min(Math.max(long * factor, LEAST_US), Math.max(most, LEAST_US));
  const start = at - ((at - from) / long) * next;
  return within({ from: stretch(folds, start, true), to: stretch(folds, start + next, false) }, whole);
}

/** The window moved by `dx` pixels; it does not leave the run. */
export function panBy(scale: Scale, dx: number, whole: Span, gaps: readonly Span[]): Span {
  const folds = scale.pieces.length > 1 ? gaps : [];
  const from = shrink(folds, scale.span.from);
  const long = shrink(folds, scale.span.to) - from;
  const least = shrink(folds, whole.from);
  const most = Math.max(shrink(folds, whole.to) - long, least);
  const start = Math.min(Math.max(from + (dx / Math.max(scale.width, 1)) * long, least), most);
  return within({ from: stretch(folds, start, true), to: stretch(folds, start + long, false) }, whole);
}

/** The window of what was dragged over, from pixel `a` to pixel `b`. */
export function selected(scale: Scale, a: number, b: number, whole: Span): Span {
  const from = toTime(scale, Math.min(a, b));
  const to = toTime(scale, Math.max(a, b));
  return within({ from, to: Math.max(to, from + LEAST_US) }, whole);
}

/** The window cut to the run, or moved into it where it is merely beside it. */
export function within(span: Span, whole: Span): Span {
  const long = Math.min(Math.max(span.to - span.from, LEAST_US), Math.max(whole.to - whole.from, LEAST_US));
  const from = Math.max(Math.min(span.from, whole.to - long), whole.from);
  return { from, to: Math.max(Math.min(span.to, whole.to), from + Math.min(long, LEAST_US)) };
}

/** Whether the window shows all of the run. */
export function isWhole(span: Span, whole: Span): boolean {
  return span.from <= whole.from && span.to >= whole.to;
}
