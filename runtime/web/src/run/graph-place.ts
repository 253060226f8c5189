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
  const y = Math.min(Math.max((area.h - graph.height * scale) / 2, AROUND), AROUND * 3);
  return { x: (area.w - graph.width * scale) / 2, y, scale };
}

/** The frame after zooming, with what is at a place staying there. */
export function zoomed(frame: Frame, by: number, x: number, y: number): Frame {
  const scale = Math.min(Math.max(frame.scale * by, LEAST), MOST);
  const ratio = scale / frame.scale;
  return { x: x - (x - frame.x) * ratio, y: y - (y - frame.y) * ratio, scale };
}

type Point = [number, number];
const HEAD = 7;

/** A line from top to bottom through points, with upright ends, and the head of its arrow. */
export function pathOf(points: readonly Point[]): { line: string; head: string } {
  const tip = points.at(-1);
  const before = points.at(-2);
  if (!tip || !before) return { line: "", head: "" };
  const base = tip[1] + (tip[1] >= before[1] ? -HEAD : HEAD);
  let line = "";
  let from: Point = tip;
  points.forEach(([x, at], i) => {
    const y = i === points.length - 1 ? base : at;
    const half = (from[1] + y) / 2;
    if (i === 0) line = `M${x} ${y}`;
    else line += x === from[0] ? `V${y}` : `C${from[0]} ${half} ${x} ${half} ${x} ${y}`;
    from = [x, y];
  });
  return { line, head: `M${tip[0]} ${tip[1]}L${tip[0] - 4.5} ${base}L${tip[0] + 4.5} ${base}Z` };
}

/** A text of at most so many characters. */
export function shorten(text: string, most: number): string {
  const all = [...text];
  return all.length <= most ? text : `${all.slice(0, Math.max(Math.floor(most) - 1, 1)).join("")}…`;
}
