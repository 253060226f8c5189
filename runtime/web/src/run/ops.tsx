// One row for each op, whatever its fan-out: how far it is, how fast, how long its steps take.
import { useMemo } from "preact/hooks";
import { clock, count, duration, rate } from "../format";
import { useKeys } from "../keys";
import { ROW_KEYS } from "../parts/rows";
import { Shape } from "../parts/shape";
import { SortHead } from "../parts/sort-head";
import { Spark } from "../parts/spark";
import { StateBar, StateShape } from "../parts/state";
import type { Op } from "../types";
import { doneOf } from "../words";
import { Pace } from "./rate";
import { type OpRow, rowsOf, sorted, sum } from "./rows";
import { endedOver } from "./spark";
import type { RunState } from "./state";
import { inBuckets, useOverview } from "./timeline-data";

/** How many columns a row's drawing of its activity has. */
const SPARK = 30;

export function Ops({ run }: { run: RunState }) {
  const { selection } = run;
  const detail = run.detail.value;
  const sort = selection.other("opsort");
  const folded = new Set(selection.other("fold").split(",").filter(Boolean).map(Number));
  const rows = rowsOf(sorted(detail.ops, sort), sort === "" ? folded : new Set());
  const live = detail.run.state === "running";
  const paces = usePaces(run);
  const sparks = useSparks(run);
  const fold = (node: number, way: boolean) => {
    const next = new Set(folded);
    if (way) next.add(node);
    else next.delete(node);
    selection.set({ fold: [...next].join(",") }, "replace");
  };
  const focused = () => {
    const node = Number(document.activeElement?.getAttribute("data-node") ?? Number.NaN);
    return rows.find((row) => row.op.node === node);
  };
  const head = (column: string, says: string, title?: string) => (
    <SortHead
      says={says}
      title={title}
      class={`at-${column}${title ? "" : " number"}`}
      column={column}
      down
      now={sort}
      sort={(opsort) => selection.set({ opsort }, "replace")}
    />
  );
  useKeys([
    ...ROW_KEYS,
    {
      keys: "ArrowRight",
      says: "unfold a fan-out; the steps of an op",
      act: () => {
        const row = focused();
        if (row?.folded) fold(row.op.node, false);
        else if (row) selection.set({ op: row.op.name, view: "steps" });
      },
    },
    {
      keys: "ArrowLeft",
      says: "fold a fan-out",
      act: () => {
        const row = focused();
        if (row?.opens && sort === "") fold(row.op.node, true);
      },
    },
  ]);
  return (
    <section class="ops" aria-label="Ops">
      <table>
        <thead>
          <tr>
            <th>Op</th>
            {head("done", "Done")}
            {head("failed", "Steps", "Sort by failures")}
            {live && head("running", "Running")}
            {live && <th class="number at-rate">Rate</th>}
            {head("p50", "p50")}
            {head("p95", "p95")}
            {head("max", "Max")}
            {head("retries", "Retries")}
            <th class="at-spark">Activity</th>
            {live && <th class="at-oldest">Oldest running</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row
              key={row.op.node}
              row={row}
              run={run}
              live={live}
              pace={paces.get(row.op.node) ?? null}
              spark={sparks.get(row.op.node) ?? null}
              fold={sort === "" ? fold : null}
            />
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface RowProps {
  row: OpRow;
  run: RunState;
  live: boolean;
  pace: number | null;
  spark: number[] | null;
  fold: ((node: number, way: boolean) => void) | null;
}

function Row({ row, run, live, pace, spark, fold }: RowProps) {
  const { op, hidden } = row;
  const { selection } = run;
  const chosen = selection.op.value === op.name;
  const counts = hidden.length > 0 ? sum([op, ...hidden]) : op.counts;
  const known = [op, ...hidden].reduce((total, each) => total + each.known, 0);
  const growing = op.growing || hidden.some((each) => each.growing);
  const choose = () => selection.set({ op: chosen ? null : op.name });
  const alone = hidden.length === 0;
  return (
    <tr class={chosen ? "is-chosen" : ""} onClick={(event) => outside(event) && choose()}>
      <td class="at-op">
        <OpName row={row} chosen={chosen} choose={choose} fold={fold} />
      </td>
      <td class="number at-done">
        {count(doneOf(counts))}
        <span class="soft">{` / ${growing ? "≥ " : ""}${count(known)}`}</span>
      </td>
      <td class="at-failed">
        <span class="bar-and">
          <StateBar counts={counts} known={known} growing={growing} />
          {counts.failed > 0 && (
            <a
              class="state is-failed"
              title={`${count(counts.failed)} failed: show them`}
              href={selection.href({ op: op.name, state: "failed", view: "steps" })}
            >
              <StateShape state="failed" />
              {count(counts.failed)}
              <span class="unseen"> failed</span>
            </a>
          )}
        </span>
      </td>
      {live && <td class="number at-running">{counts.running > 0 ? count(counts.running) : ""}</td>}
      {live && <td class="number at-rate">{alone && pace !== null && pace > 0 ? rate(pace) : ""}</td>}
      <td class="number at-p50">{alone && op.p50 != null ? duration(op.p50) : ""}</td>
      <td class="number at-p95">{alone && op.p95 != null ? duration(op.p95) : ""}</td>
      <td class="number at-max">{alone && op.max != null ? duration(op.max) : ""}</td>
      <td
        class="number at-retries"
        title={op.retrying > 0 ? `${count(op.retrying)} wait for their next attempt` : ""}
      >
        {alone && op.retries > 0 ? count(op.retries) : ""}
        {alone && op.retrying > 0 && <span class="soft">{` · ${count(op.retrying)} wait`}</span>}
      </td>
      <td class="at-spark">
        {alone && spark !== null && <Spark values={spark} says={`When steps of ${op.name} ended`} />}
      </td>
      {live && <td class="at-oldest">{alone && <Oldest op={op} run={run} />}</td>}
    </tr>
  );
}

/** Whether a click on a row was for the row, and not for something in it or to mark text. */
function outside(event: MouseEvent): boolean {
  const inside = event.target instanceof Element && event.target.closest("a,button") !== null;
  return !inside && getSelection()?.isCollapsed !== false;
}

interface NameProps {
  row: OpRow;
  chosen: boolean;
  choose: () => void;
  fold: RowProps["fold"];
}

function OpName({ row, chosen, choose, fold }: NameProps) {
  const { op, opens, folded, hidden } = row;
  return (
    <span class="op-name">
      {fold !== null && <Guides op={op} />}
      <button
        type="button"
        class="link cut"
        data-row
        data-node={op.node}
        aria-pressed={chosen}
        title={op.doc}
        onClick={choose}
      >
        {op.name}
      </button>
      {hidden.length > 0 && <span class="soft">{`+ ${hidden.length}`}</span>}
      {op.kind !== "op" && <span class="tag">{op.kind}</span>}
      {op.items != null && <span class="tag" title="items given so far">{`${count(op.items)} items`}</span>}
      {op.pool != null && (
        <span class="tag" title="pool">
          {op.pool}
        </span>
      )}
      {op.reused > 0 && <span class="tag">{`${count(op.reused)} reused`}</span>}
      {op.left_behind > 0 && (
        <span class="tag is-warning">{`${count(op.left_behind)} threads left behind`}</span>
      )}
      {opens && fold !== null && (
        <button
          type="button"
          class={folded ? "icon fold is-folded" : "icon fold"}
          aria-label={folded ? "Unfold the fan-out" : "Fold the fan-out"}
          aria-expanded={!folded}
          onClick={() => fold(op.node, !folded)}
        >
          <Shape path="M4 6l4 4 4-4" />
        </button>
      )}
    </span>
  );
}

/** A line for each fan-out that the op lies in, from row to row. */
function Guides({ op }: { op: Op }) {
  const last = op.depth - 1;
  return (
    <span class="guides" aria-hidden="true">
      {Array.from({ length: op.depth }, (_, level) => (
        <span key={level} class={op.first && level === last ? "guide is-first" : "guide"} />
      ))}
    </span>
  );
}

function Oldest({ op, run }: { op: Op; run: RunState }) {
  if (op.oldest == null) return null;
  const { step, started, attempt } = op.oldest;
  return (
    <span class="oldest">
      <a class="mono cut" href={run.selection.href({ step })} title={step}>
        {step}
      </a>
      <span class="soft">
        {clock(run.clock.value - started)}
        {attempt > 1 && `, attempt ${attempt}`}
      </span>
    </span>
  );
}

/** Steps a second of each op, from what was told in the last seconds. */
function usePaces(run: RunState): Map<number, number | null> {
  const paces = useMemo(() => new Map<number, Pace>(), []);
  const detail = run.detail.value;
  const now = run.now();
  const rates = new Map<number, number | null>();
  for (const op of detail.ops) {
    const pace = paces.get(op.node) ?? new Pace();
    paces.set(op.node, pace);
    if (detail.run.state === "running") pace.add(now, doneOf(op.counts));
    rates.set(op.node, pace.rate());
  }
  return rates;
}

/** When the steps of each op ended, over the whole run. */
function useSparks(run: RunState): Map<number, number[]> {
  const overview = useOverview(run).data.value;
  return useMemo(() => {
    const timeline = overview && inBuckets(overview);
    return new Map(timeline?.lanes.map((lane) => [lane.node, endedOver(lane, timeline, SPARK)]));
  }, [overview]);
}
