// Draws a timeline on canvases: strips as pixels, single bars as rectangles, folds as breaks of the axis.
import { colour } from "../theme";
import { STEP_STATES } from "../words";
import { AROUND_PX, barSpan, type Hit, type Picture, type Placed, STRIP_PX } from "./timeline-lanes";
import { type Columns, columns } from "./timeline-pack";
import { type Scale, type Span, ticks, tickText, toX } from "./timeline-scale";

/** The sheet's colours, as a canvas and as pixels take them. */
export interface Palette {
  states: string[];
  pixels: Uint32Array;
  ink: string;
  faint: string;
  line: string;
  raised: string;
  accent: string;
  /** What is written on a step that succeeded. */
  onCalm: string;
}

const FONT = '11px system-ui, -apple-system, "Segoe UI", sans-serif';
const TICKS_APART = 84;

/** Reads the colours of the sheet: to be read anew when the theme changes. */
export function palette(): Palette {
  const states = STEP_STATES.map((state) => colour(state === "succeeded" ? "calm" : state));
  const probe = document.createElement("canvas");
  probe.width = states.length;
  probe.height = 1;
  const ctx = probe.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
  states.forEach((state, i) => {
    ctx.fillStyle = state;
    ctx.fillRect(i, 0, 1, 1);
  });
  const pixels = new Uint32Array(ctx.getImageData(0, 0, states.length, 1).data.buffer.slice(0));
  const [ink, faint, line, raised, accent, onCalm] = [
    "text",
    "soft",
    "line",
    "card",
    "accent",
    "on-calm",
  ].map(colour) as [string, string, string, string, string, string];
  return { states, pixels, ink, faint, line, raised, accent, onCalm };
}

/** Makes the canvas as large as it is shown, in the screen's own pixels, and clears it. */
function fit(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = window.devicePixelRatio || 1;
  const w = Math.max(Math.round(width * ratio), 1);
  const h = Math.max(Math.round(height * ratio), 1);
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const ctx = canvas.getContext("2d") as CanvasRenderingContext2D;
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return ctx;
}

/** What is drawn of the lanes. */
export interface Frame {
  of: Picture;
  scale: Scale;
  colours: Palette;
  /** How far the lanes are scrolled, and how high they are seen. */
  scroll: number;
  height: number;
  /** The end of the run so far. */
  now: number;
  hit: Hit | null;
  step: string | null;
}

/** Draws the lanes that are on the screen. */
export function paintLanes(canvas: HTMLCanvasElement, frame: Frame): void {
  const { of, scale, colours, scroll, height, now } = frame;
  const ctx = fit(canvas, scale.width, height);
  const seen = of.lanes.filter((lane) => lane.top + lane.height > scroll && lane.top < scroll + height);
  for (const lane of seen) {
    if (lane.row === null) strip(ctx, lane, lane.top - scroll + AROUND_PX, frame);
    else bars(ctx, lane, frame);
  }
  if (frame.hit) outline(ctx, frame.hit, scroll, colours.ink);
  // What lies under the lanes is drawn last, behind: pixels that were put have no transparency.
  ctx.globalCompositeOperation = "destination-over";
  ctx.fillStyle = colours.line;
  for (const lane of seen) ctx.fillRect(0, Math.round(lane.top + lane.height - scroll) - 1, scale.width, 1);
  ctx.globalAlpha = 0.6;
  for (const { x } of axisTicks(scale)) ctx.fillRect(Math.round(x), 0, 1, height);
  ctx.globalAlpha = 1;
  ctx.globalCompositeOperation = "source-over";
  const end = toX(scale, now);
  if (end > 0 && end < scale.width - 1) {
    ctx.fillStyle = colours.faint;
    ctx.fillRect(Math.round(end), 0, 1, height);
  }
  paintFolds(ctx, scale, height, colours);
}

let image: ImageData | null = null;

/** A heat strip: one column a pixel. */
function strip(ctx: CanvasRenderingContext2D, lane: Placed, top: number, frame: Frame): void {
  const width = Math.ceil(frame.scale.width);
  const cols = stripColumns(lane, frame, width);
  const ratio = window.devicePixelRatio || 1;
  const w = Math.round(width * ratio);
  const h = Math.round(STRIP_PX * ratio);
  if (image === null || image.width !== w || image.height !== h) image = new ImageData(w, h);
  const pixels = new Uint32Array(image.data.buffer).fill(0);
  for (let x = 0; x < width; x++) {
    const state = cols.state[x] as number;
    if (state === 255) continue;
    const tall = Math.max(Math.round((cols.share[x] as number) * h), Math.round(3 * ratio));
    const pixel = frame.colours.pixels[state] as number;
    const right = Math.min(Math.round((x + 1) * ratio), w);
    for (let px = Math.round(x * ratio); px < right; px++)
      for (let y = h - tall; y < h; y++) pixels[y * w + px] = pixel;
  }
  ctx.putImageData(image, 0, Math.round(top * ratio));
}

/** The columns of a lane: of the whole run's answer, and over it of the window's. */
function stripColumns(lane: Placed, { of, scale }: Frame, width: number): Columns {
  const out = { share: new Float32Array(width), state: new Uint8Array(width).fill(255) };
  const { overview, fine } = of;
  const has = fine?.tier === "buckets" && lane.fine !== undefined;
  const left = has ? Math.min(Math.max(Math.ceil(toX(scale, fine.from_us)), 0), width) : width;
  const right = has ? Math.min(Math.max(Math.floor(toX(scale, fine.to_us)), left), width) : width;
  if (lane.coarse) {
    const from = overview.from_us;
    columns(lane.coarse, from, Math.max(overview.width_us, 1), scale, 0, left, out);
    columns(lane.coarse, from, Math.max(overview.width_us, 1), scale, right, width, out);
  }
  if (has && lane.fine) columns(lane.fine, fine.from_us, Math.max(fine.width_us, 1), scale, left, right, out);
  return out;
}

/** Single bars, state by state, so that the colour changes seven times and not thousands of times. */
function bars(ctx: CanvasRenderingContext2D, lane: Placed, frame: Frame): void {
  const { scale, colours, scroll, height, now } = frame;
  const all = lane.fine;
  if (!all || lane.row === null) return;
  const h = lane.rowPx > 8 ? lane.rowPx - 2 : lane.rowPx - 1;
  const labels: { x: number; y: number; room: number; at: number }[] = [];
  for (let state = 0; state < STEP_STATES.length; state++) {
    ctx.fillStyle = colours.states[state] as string;
    ctx.beginPath();
    for (let i = 0; i < all.step.length; i++) {
      if (all.state[i] !== state) continue;
      const y = lane.top + AROUND_PX + (lane.row[i] as number) * lane.rowPx - scroll;
      if (y > height || y + h < 0) continue;
      const span = barSpan(all, i, now);
      const x = Math.max(toX(scale, span.from), -4);
      const end = Math.min(toX(scale, span.to), scale.width + 4);
      if (end < -2 || x > scale.width) continue;
      const w = Math.max(end - x, 1.5);
      if (h > 8 && w > 6) ctx.roundRect(x, y, w - 0.5, h, Math.min(3, w / 5));
      else ctx.rect(x, y, w, h);
      if (h > 12 && w > 26)
        labels.push({ x: Math.max(x, 0) + 5, y: y + h / 2 + 0.5, room: end - Math.max(x, 0) - 9, at: i });
    }
    ctx.fill();
  }
  ctx.font = FONT;
  ctx.textBaseline = "middle";
  for (const label of labels) {
    const text = fitText(
      ctx,
      barText(all.step[label.at] as string, lane.name, all.attempts[label.at] as number),
      label.room,
    );
    ctx.fillStyle = all.state[label.at] === 0 ? colours.onCalm : colours.raised;
    if (text) ctx.fillText(text, label.x, label.y);
  }
  const chosen = frame.step === null ? -1 : all.step.indexOf(frame.step);
  if (chosen >= 0) {
    const span = barSpan(all, chosen, now);
    const y = lane.top + AROUND_PX + (lane.row[chosen] as number) * lane.rowPx - scroll;
    const x = Math.max(toX(scale, span.from), -4);
    const w = Math.max(Math.min(toX(scale, span.to), scale.width + 4) - x, 2);
    ctx.strokeStyle = colours.ink;
    ctx.lineWidth = 2;
    ctx.strokeRect(x - 1, y - 1, w + 2, h + 2);
  }
}

/** The keys of a step, for its lane says its op; and its attempts where there were several. */
function barText(step: string, op: string, attempts: number): string {
  const keys = step.startsWith(`${op}[`) ? step.slice(op.length + 1, -1) : step;
  return attempts > 1 ? `${keys} ×${attempts}` : keys;
}

function fitText(ctx: CanvasRenderingContext2D, text: string, room: number): string {
  if (room < 14) return "";
  // No letter is narrower: a long key is not measured whole.
  let cut = text.slice(0, Math.floor(room / 3));
  if (cut === text && ctx.measureText(text).width <= room) return text;
  while (cut.length > 1 && ctx.measureText(`${cut}…`).width > room)
    cut = cut.slice(0, Math.floor(cut.length * 0.85));
  return cut.length > 1 ? `${cut}…` : "";
}

function outline(ctx: CanvasRenderingContext2D, hit: Hit, scroll: number, ink: string): void {
  const { x, y, w, h } = hit.box;
  ctx.strokeStyle = ink;
  ctx.lineWidth = 1.5;
  ctx.strokeRect(x - 0.75, y - scroll - 0.75, w + 1.5, h + 1.5);
}

/** A fold: a break through all lanes, with torn edges. */
function paintFolds(ctx: CanvasRenderingContext2D, scale: Scale, height: number, colours: Palette): void {
  for (const piece of scale.pieces) {
    if (!piece.fold) continue;
    ctx.fillStyle = colours.raised;
    ctx.fillRect(piece.x0 + 3, 0, piece.x1 - piece.x0 - 6, height);
    ctx.strokeStyle = colours.faint;
    ctx.lineWidth = 1;
    for (const x of [piece.x0 + 4, piece.x1 - 4]) {
      ctx.beginPath();
      for (let y = 0; y <= height + 6; y += 6) ctx.lineTo(x + ((y / 6) % 2 === 0 ? -2 : 2), y);
      ctx.stroke();
    }
  }
}

/** The ticks of all pieces with their words. */
function axisTicks(scale: Scale): { x: number; text: string }[] {
  return scale.pieces.flatMap((piece) => {
    const { times, step } = ticks(piece, TICKS_APART);
    return times.map((time) => ({ x: toX(scale, time), text: tickText(time, step) }));
  });
}

/** The axis: words at round times, and a break's length. */
export function paintAxis(canvas: HTMLCanvasElement, scale: Scale, height: number, colours: Palette): void {
  const ctx = fit(canvas, scale.width, height);
  ctx.font = FONT;
  ctx.textBaseline = "middle";
  ctx.fillStyle = colours.faint;
  let free = 0;
  for (const { x, text } of axisTicks(scale)) {
    const wide = ctx.measureText(text).width;
    const left = Math.min(Math.max(x - wide / 2, 2), scale.width - wide - 2);
    ctx.fillRect(Math.round(x), height - 4, 1, 4);
    if (left < free) continue;
    ctx.fillText(text, left, height / 2);
    free = left + wide + 8;
  }
  paintFolds(ctx, scale, height, colours);
}

/** The mini-map: all ops in one small picture of the whole run, with the window. */
export function paintMap(
  canvas: HTMLCanvasElement,
  of: Picture,
  whole: Scale,
  window: Span,
  height: number,
  colours: Palette,
): void {
  const ctx = fit(canvas, whole.width, height);
  const width = Math.ceil(whole.width);
  const rowPx = Math.min(Math.max((height - 2) / Math.max(of.lanes.length, 1), 1), 36);
  of.lanes.forEach((lane, i) => {
    if (!lane.coarse) return;
    const out = { share: new Float32Array(width), state: new Uint8Array(width).fill(255) };
    columns(lane.coarse, of.overview.from_us, Math.max(of.overview.width_us, 1), whole, 0, width, out);
    runs(ctx, out, 1 + i * rowPx, Math.max(rowPx - (rowPx > 3 ? 1 : 0), 1), colours);
  });
  paintFolds(ctx, whole, height, colours);
  const x0 = toX(whole, window.from);
  const x1 = Math.max(toX(whole, window.to), x0 + 2);
  ctx.globalAlpha = 0.72;
  ctx.fillStyle = colours.raised;
  ctx.fillRect(0, 0, x0, height);
  ctx.fillRect(x1, 0, whole.width - x1, height);
  ctx.globalAlpha = 1;
  ctx.strokeStyle = colours.accent;
  ctx.lineWidth = 1.5;
  ctx.strokeRect(
    Math.max(x0, 0) + 0.75,
    0.75,
    Math.max(Math.min(x1, whole.width) - Math.max(x0, 0) - 1.5, 1),
    height - 1.5,
  );
}

/** Columns of one height; neighbours of one colour are one rectangle. */
function runs(ctx: CanvasRenderingContext2D, of: Columns, y: number, h: number, colours: Palette): void {
  let from = 0;
  for (let x = 1; x <= of.state.length; x++) {
    const state = of.state[from] as number;
    if (x < of.state.length && of.state[x] === state) continue;
    if (state !== 255) {
      ctx.fillStyle = colours.states[state] as string;
      ctx.fillRect(from, y, x - from, h);
    }
    from = x;
  }
}
