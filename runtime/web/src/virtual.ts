// Which rows of a long table are on the screen. Pure.

/** The height of a row. */
export const ROW_PX = 28;
/** Above it, a scroll area would come near the height at which browsers clip an element (33 554 428 px). */
export const MOST_SCROLLED = 500_000;
/** The height that stands for all rows where they are too many. */
export const MAPPED_PX = 4_000_000;

/** How a number of rows lies in a scroll area of so many pixels. */
export interface Area {
  total: number;
  view: number;
  /** Whether the scroll position is a place in the result, and no longer a number of pixels. */
  mapped: boolean;
  height: number;
}

/** The scroll area of `total` rows seen through `view` pixels. */
export function areaOf(total: number, view: number): Area {
  const mapped = total > MOST_SCROLLED;
  return { total, view, mapped, height: mapped ? MAPPED_PX : total * ROW_PX };
}

/** The furthest that rows can be moved up: the last row is then at the bottom. */
export function lastTop(area: Area): number {
  return Math.max(area.total - area.view / ROW_PX, 0);
}

/** The row at the top (a fraction: it may be half hidden) at a scroll position. */
export function topAt(area: Area, scroll: number): number {
  if (!area.mapped) return Math.min(Math.max(scroll / ROW_PX, 0), lastTop(area));
  const most = Math.max(area.height - area.view, 1);
  return Math.min(Math.max(scroll / most, 0), 1) * lastTop(area);
}

/** The scroll position at which `top` is the row at the top. */
export function scrollAt(area: Area, top: number): number {
  const at = Math.min(Math.max(top, 0), lastTop(area));
  if (!area.mapped) return at * ROW_PX;
  const last = lastTop(area);
  return last > 0 ? (at / last) * (area.height - area.view) : 0;
}

/** The rows that are on the screen: the first, and the one after the last. */
export function seen(area: Area, top: number): { first: number; end: number } {
  const first = Math.max(Math.floor(top), 0);
  return { first, end: Math.min(Math.ceil(top + area.view / ROW_PX) + 1, area.total) };
}

/** The top that shows `row`, moved as little as can be. */
export function reveal(area: Area, top: number, row: number): number {
  const rows = area.view / ROW_PX;
  if (row < top) return row;
  if (row + 1 > top + rows) return Math.min(row + 1 - rows, lastTop(area));
  return top;
}

/** Pages of rows: the nearest are kept, so that memory does not grow with what was scrolled over. */
export class Pages<T> {
  private kept = new Map<number, readonly T[]>();
  readonly size: number;
  readonly most: number;

  constructor(size: number, most: number) {
    this.size = size;
    this.most = most;
  }

  get(row: number): T | undefined {
    return this.kept.get(Math.floor(row / this.size))?.[row % this.size];
  }

  has(page: number): boolean {
    return this.kept.has(page);
  }

  /** Keeps a page; beyond the most, the one furthest from it is let go. */
  put(page: number, rows: readonly T[]): void {
    this.kept.set(page, rows);
    while (this.kept.size > this.most) {
      let far = page;
      for (const key of this.kept.keys()) if (Math.abs(key - page) > Math.abs(far - page)) far = key;
      this.kept.delete(far);
    }
  }

  clear(): void {
    this.kept.clear();
  }

  /** The pages that rows from `first` to before `end` lie in. */
  needed(first: number, end: number): number[] {
    const out: number[] = [];
    for (let p = Math.floor(first / this.size); p * this.size < end; p++) out.push(p);
    return out;
  }
}
