// Where a drawing of a graph lies on the screen, and its lines. Pure.

/** How a drawing is moved and scaled. */
export interface Frame {
  x: number;
  y: number;
  scale: number;
}

const AROUND = 16;
const LEAST = 0.1;
const MOST = 3;

/** The drawing in the middle of an area, as large as it fits, and no larger than drawn. */
export function fitted(graph: { width: number; height: number }, area: { w: number; h: number }): Frame {
  const wide = (area.w - AROUND * 2) / Math.max(graph.width, 1);
  const high = (area.h - AROUND * 2) / Math.max(graph.height, 1);
  // A tall graph is not made unreadable: it is moved instead.
  const scale = Math.min(Math.max(Math.min(wide, Math.max(high, 0.7)), LEAST), 1.15);
  const y = graph.height * scale < area.h ? (area.h - graph.height * scale) / 2 : AROUND;
  return { x: (area.w - graph.width * scale) / 2, y, scale };
}

/** The frame after zooming, with what is at a place staying there. */
export function zoomed(frame: Frame, by: number, x: number, y: number): Frame {
  const scale = Math.min(Math.max(frame.scale * by, LEAST), MOST);
  const ratio = scale / frame.scale;
  return { x: x - (x - frame.x) * ratio, y: y - (y - frame.y) * ratio, scale };
}

type Point = [number, number];
const CORNER = 10;
const HEAD = 6;

/** A line through points with round corners, and the head of its arrow. */
export function pathOf(points: readonly Point[]): { line: string; head: string } {
  const first = points[0];
  const end = points.at(-1);
  if (!first || !end || points.length < 2) return { line: "", head: "" };
  const line = [`M${at(first)}`];
  for (let i = 1; i < points.length - 1; i++) {
    const [before, here, after] = [points[i - 1], points[i], points[i + 1]] as [Point, Point, Point];
    line.push(`L${at(toward(here, before, CORNER))}Q${at(here)} ${at(toward(here, after, CORNER))}`);
  }
  const last = points.at(-2) as Point;
  const neck = toward(end, last, HEAD);
  line.push(`L${at(neck)}`);
  const long = Math.hypot(end[0] - last[0], end[1] - last[1]) || 1;
  const [nx, ny] = [((end[1] - last[1]) / long) * 4.5, ((last[0] - end[0]) / long) * 4.5];
  const head = `M${at(end)}L${at([neck[0] + nx, neck[1] + ny])}L${at([neck[0] - nx, neck[1] - ny])}Z`;
  return { line: line.join(""), head };
}

/** The place `by` from a point to another, and no further than half way. */
function toward(from: Point, to: Point, by: number): Point {
  const long = Math.hypot(to[0] - from[0], to[1] - from[1]);
  const share = long > 0 ? Math.min(by / long, 0.5) : 0;
  return [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share];
}

function at([x, y]: Point): string {
  return `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
}

/** A text of at most so many characters. */
export function shorten(text: string, most: number): string {
  const all = [...text];
  return all.length <= most ? text : `${all.slice(0, Math.max(Math.floor(most) - 1, 1)).join("")}…`;
}
