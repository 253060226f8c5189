// Where a time is on the screen: a window of the run's time over a number of pixels, with long gaps folded
// to a fixed width. Pure: times are microseconds since the run began.

/** A span of time, in microseconds. */
export interface Span {
  from: number;
  to: number;
}

/** A part of the scale in which time runs evenly; `fold` is the gap that is hidden in it. */
export interface Piece {
  t0: number;
  t1: number;
  x0: number;
  x1: number;
  fold: boolean;
}

/** A window of time over `width` pixels. */
export interface Scale {
  span: Span;
  width: number;
  pieces: Piece[];
}

/** How wide a folded gap is drawn. */
export const FOLD_PX = 26;

/** The scale of a window, with those `gaps` folded that would take more than a fold's width. */
export function scaleOf(span: Span, width: number, gaps: readonly Span[]): Scale {
  const whole = Math.max(span.to - span.from, 1);
  const folds = gaps
    .map((gap) => ({ from: Math.max(gap.from, span.from), to: Math.min(gap.to, span.to) }))
    // A fold at the window's edge, or of a gap that is hardly seen, would only jump about while panning.
    .filter(
      (gap) =>
        ((gap.to - gap.from) / whole) * width > FOLD_PX * 2 && gap.from > span.from && gap.to < span.to,
    );
  const room = width - folds.length * FOLD_PX;
  if (room < width / 2)
    return { span, width, pieces: [{ t0: span.from, t1: span.to, x0: 0, x1: width, fold: false }] };
  const hidden = folds.reduce((sum, gap) => sum + gap.to - gap.from, 0);
  const perUs = room / Math.max(whole - hidden, 1);
  const pieces: Piece[] = [];
  let t = span.from;
  let x = 0;
  for (const gap of folds) {
    const x1 = x + (gap.from - t) * perUs;
    pieces.push({ t0: t, t1: gap.from, x0: x, x1, fold: false });
    pieces.push({ t0: gap.from, t1: gap.to, x0: x1, x1: x1 + FOLD_PX, fold: true });
    t = gap.to;
    x = x1 + FOLD_PX;
  }
  pieces.push({ t0: t, t1: span.to, x0: x, x1: width, fold: false });
  return { span, width, pieces };
}

/** The pixel of a time; outside of the window it goes on evenly. */
export function toX(scale: Scale, time: number): number {
  const piece = scale.pieces.find((piece) => time < piece.t1) ?? (scale.pieces.at(-1) as Piece);
  const long = piece.t1 - piece.t0;
  return piece.x0 + (long > 0 ? ((time - piece.t0) / long) * (piece.x1 - piece.x0) : 0);
}

/** The time at a pixel. */
export function toTime(scale: Scale, x: number): number {
  const piece = scale.pieces.find((piece) => x < piece.x1) ?? (scale.pieces.at(-1) as Piece);
  const wide = piece.x1 - piece.x0;
  return piece.t0 + (wide > 0 ? ((x - piece.x0) / wide) * (piece.t1 - piece.t0) : 0);
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500];
const SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

/** Times for the axis of a piece, at round places no nearer than `apart` pixels, and how far they are apart. */
export function ticks(piece: Piece, apart: number): { times: number[]; step: number } {
  const wide = piece.x1 - piece.x0;
  const times: number[] = [];
  if (piece.fold || wide < 8) return { times, step: 1 };
  const step = roundUp(((piece.t1 - piece.t0) / wide) * apart);
  for (let t = Math.ceil(piece.t0 / step) * step; t <= piece.t1; t += step) times.push(t);
  return { times, step };
}

function roundUp(us: number): number {
  for (const scale of [1, 1000]) for (const step of STEPS) if (step * scale >= us) return step * scale;
  for (const step of SECONDS) if (step * 1e6 >= us) return step * 1e6;
  const day = 86400e6;
  return Math.ceil(us / day) * day;
}

/** The time of a tick in words, as fine as the ticks are apart: `12.50 s`, `1:04:10.5`, `2 d 03:00`. */
export function tickText(us: number, apart: number): string {
  if (us === 0) return "0";
  if (us < 1e6 && apart < 1e5) return `${fixed(us / 1000, apart, 1000)} ms`;
  if (us < 60e6) return `${fixed(us / 1e6, apart, 1e6)} s`;
  const places = Math.min(placesOf(apart, 1e6), 6);
  const whole = Math.round((us / 1e6) * 10 ** places) / 10 ** places;
  const two = (n: number) => String(n).padStart(2, "0");
  const d = Math.floor(whole / 86400);
  const h = Math.floor((whole % 86400) / 3600);
  const m = Math.floor((whole % 3600) / 60);
  const s = (whole % 60).toFixed(places).padStart(places > 0 ? places + 3 : 2, "0");
  if (d > 0) return `${d} d ${two(h)}:${two(m)}${apart % 60e6 === 0 ? "" : `:${s}`}`;
  return h > 0 ? `${h}:${two(m)}:${s}` : `${m}:${s}`;
}

function placesOf(apart: number, unit: number): number {
  return Math.max(0, Math.ceil(-Math.log10(apart / unit) - 1e-9));
}

function fixed(value: number, apart: number, unit: number): string {
  return value.toFixed(Math.min(placesOf(apart, unit), 3));
}
