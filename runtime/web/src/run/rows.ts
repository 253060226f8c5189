// The ops as rows: in the order of the graph with fan-outs that fold, or sorted by a column.
import type { Op, StepCounts } from "../types";
import { doneOf, STEP_STATES } from "../words";

export interface OpRow {
  op: Op;
  /** Whether it is the first of a fan-out: such a row folds the rest of it. */
  opens: boolean;
  folded: boolean;
  /** Ops of the fan-out that are not seen, as they are folded into this row. */
  hidden: Op[];
}

/** The place after the last op of the fan-out that begins at `start`. */
export function scopeEnd(ops: Op[], start: number): number {
  const depth = ops[start]?.depth ?? 0;
  let end = start + 1;
  for (; end < ops.length; end += 1) {
    const op = ops[end] as Op;
    if (op.depth < depth || (op.depth === depth && op.first)) break;
  }
  return end;
}

/** All rows but those in a folded fan-out. */
export function rowsOf(ops: Op[], folded: ReadonlySet<number>): OpRow[] {
  const rows: OpRow[] = [];
  for (let at = 0; at < ops.length; ) {
    const op = ops[at] as Op;
    const end = op.first && op.depth > 0 ? scopeEnd(ops, at) : at + 1;
    const isFolded = folded.has(op.node) && end > at + 1;
    rows.push({ op, opens: end > at + 1, folded: isFolded, hidden: isFolded ? ops.slice(at + 1, end) : [] });
    at = isFolded ? end : at + 1;
  }
  return rows;
}

/** Counts of several ops together. */
export function sum(ops: Op[]): StepCounts {
  const all = Object.fromEntries(STEP_STATES.map((state) => [state, 0])) as unknown as StepCounts;
  for (const op of ops) for (const state of STEP_STATES) all[state] += op.counts[state];
  return all;
}

/** What a column sorts by. */
export const COLUMNS: Record<string, (op: Op) => number> = {
  done: (op) => doneOf(op.counts),
  failed: (op) => op.counts.failed,
  running: (op) => op.counts.running,
  p50: (op) => op.p50 ?? -1,
  p95: (op) => op.p95 ?? -1,
  max: (op) => op.max ?? -1,
  total: (op) => op.total,
  retries: (op) => op.retries,
};

/** The ops by a column, `-` before its name for the largest first; any other text leaves their order. */
export function sorted(ops: Op[], sort: string): Op[] {
  const down = sort.startsWith("-");
  const column = COLUMNS[down ? sort.slice(1) : sort];
  if (column === undefined) return ops;
  return [...ops].sort((a, b) => (down ? column(b) - column(a) : column(a) - column(b)));
}
