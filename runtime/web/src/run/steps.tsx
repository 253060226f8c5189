// The table of steps: any number of them, a screen at a time.
import { effect, type Signal, signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { count, counted, duration, whenWhole } from "../format";
import { useKeys } from "../keys";
import { RefusedMark } from "../parts/refused";
import { SortHead } from "../parts/sort-head";
import { StateMark } from "../parts/state";
import type { StepRow, StepStanding } from "../types";
import { areaOf, lastTop, ROW_PX, reveal, scrollAt, seen, topAt } from "../virtual";
import { STEP_STATES, word } from "../words";
import { Search } from "./filters";
import { settled, useRefresh } from "./refresh";
import type { RunState } from "./state";
import { StepList } from "./steps-data";
import "./steps.css";

const REFRESH_MS = 1_000;
const SETTLE_MS = 60;

interface Column {
  name: string;
  /** What `sort` says for it; without it, it is not sorted by. */
  sort?: string;
  /** Whether the largest is of most interest. */
  down?: boolean;
  class: string;
  cell: (row: StepRow, run: RunState) => ComponentChildren;
}

const COLUMNS: Column[] = [
  { name: "State", sort: "state", class: "st-state", cell: (row) => <StateMark state={row.state} /> },
  { name: "Step", sort: "key", class: "st-step", cell: stepCell },
  {
    name: "Attempts",
    sort: "attempts",
    down: true,
    class: "st-attempts number",
    cell: (row) => (row.attempts > 0 ? count(row.attempts) : ""),
  },
  { name: "Started", sort: "start", class: "st-start number", cell: startCell },
  {
    name: "Duration",
    sort: "duration",
    down: true,
    class: "st-took number",
    cell: (row) => (row.took == null ? "" : duration(row.took)),
  },
  { name: "Output or error", class: "st-said", cell: saidCell },
];

/** Where the table is looked at. */
class View {
  readonly list: StepList;
  /** The row at the top; a fraction, as it may be half hidden. */
  readonly top = signal(0);
  readonly height = signal(400);
  /** The row that `j` and `k` move. */
  readonly cursor: Signal<number | null> = signal(null);
  /** The scroll position that was set from here, which is not to be read back. */
  set: number | null = null;

  constructor(readonly run: RunState) {
    this.list = new StepList(run.id);
  }

  area() {
    return areaOf(this.list.total.value ?? 0, this.height.value);
  }

  shown(): { first: number; end: number } {
    return seen(this.area(), Math.min(this.top.value, lastTop(this.area())));
  }
}

export function Steps({ run }: { run: RunState }) {
  const view = useMemo(() => new View(run), [run]);
  const area = useRef<HTMLElement>(null);
  const { list } = view;
  useData(view, area);
  useRefresh(run, REFRESH_MS, () => {
    const { first, end } = view.shown();
    list.again(first, end);
  });
  const move = (by: number) => moveCursor(view, area.current, by);
  useKeys([
    { keys: "j", says: "next row", act: () => move(1) },
    { keys: "k", says: "row before", act: () => move(-1) },
    { keys: "Enter", says: "open the step", act: () => openRow(view, view.cursor.peek()) },
  ]);
  const failure = list.failure.value;
  return (
    <section class="st" aria-label="Steps">
      <Tools view={view} />
      {failure !== null && <RefusedMark error={failure.error} />}
      <Table view={view} area={area} />
    </section>
  );
}

/** Asks for what the filter and the place need. */
function useData(view: View, area: { current: HTMLElement | null }): void {
  useEffect(() => {
    const { list, run } = view;
    const { op, state, q, sort } = run.selection;
    let before = "";
    const rest = settled(SETTLE_MS, () => {
      const { first, end } = view.shown();
      list.need(first, end);
    });
    const stops = [
      effect(() => {
        const filter = { op: op.value, state: state.value, q: q.value, sort: sort.value };
        const said = JSON.stringify(filter);
        list.filter(filter);
        if (before !== "" && said !== before) {
          view.cursor.value = null;
          goTo(view, area.current, 0);
        }
        before = said;
        list.need(Math.floor(view.top.peek()), Math.floor(view.top.peek()) + 1);
      }),
      effect(() => {
        view.shown();
        list.version.value;
        rest.call();
      }),
    ];
    return () => {
      rest.stop();
      for (const stop of stops) stop();
      list.stop();
    };
  }, [view]);
}

function Tools({ view }: { view: View }) {
  const { selection, detail } = view.run;
  const total = view.list.total.value;
  const { first } = view.shown();
  const last = Math.min(Math.ceil(view.top.value + view.height.value / ROW_PX), total ?? 0);
  const op = selection.op.value;
  const counts =
    op === null ? detail.value.run.steps : detail.value.ops.find((one) => one.name === op)?.counts;
  return (
    <div class="st-tools">
      <Search run={view.run} label="Search steps by key or text" />
      <div class="chips">
        {STEP_STATES.filter((state) => (counts?.[state] ?? 0) > 0 || selection.state.value === state).map(
          (state) => (
            <button
              key={state}
              type="button"
              class={`chip is-${state}`}
              aria-pressed={selection.state.value === state}
              onClick={() =>
                selection.set({ state: selection.state.peek() === state ? null : (state as StepStanding) })
              }
            >
              <StateMark state={state} />
              {count(counts?.[state] ?? 0)}
            </button>
          ),
        )}
      </div>
      <span class="grow" />
      <span class="soft st-place">
        {total === null
          ? "Loading…"
          : total === 0
            ? "No steps"
            : `${count(first + 1)}–${count(last)} of ${counted(total, "step")}`}
      </span>
    </div>
  );
}

function Table({ view, area }: { view: View; area: { current: HTMLElement | null } }) {
  const { list, run } = view;
  const { selection } = run;
  const total = list.total.value;
  list.version.value;
  const size = view.area();
  const top = Math.min(view.top.value, lastTop(size));
  const { first, end } = view.shown();
  useLayoutEffect(() => listenTo(view, area.current as HTMLElement), [view]);
  const places = Array.from({ length: Math.max(end - first, 0) }, (_, i) => first + i);
  return (
    <section
      ref={area}
      class={list.old.value ? "st-area is-old" : "st-area"}
      aria-label="Table of steps"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by keys.
      tabIndex={0}
    >
      <div class="st-tall" style={{ height: `${size.height + ROW_PX}px` }}>
        <div class="st-seen" style={{ height: `${Math.min(size.view, size.height) + ROW_PX}px` }}>
          <table aria-rowcount={total === null ? -1 : total + 1} aria-label="Steps">
            <thead>
              <tr aria-rowindex={1}>
                {COLUMNS.map((column) => (
                  <SortHead
                    key={column.name}
                    says={column.name}
                    class={column.class}
                    column={column.sort}
                    down={column.down}
                    now={selection.sort.value}
                    sort={(sort) => selection.set({ sort }, "replace")}
                  />
                ))}
              </tr>
            </thead>
            <tbody style={{ transform: `translateY(${-Math.round((top - first) * ROW_PX)}px)` }}>
              {places.map((place) => (
                <Row key={place} view={view} place={place} />
              ))}
            </tbody>
          </table>
        </div>
      </div>
      {total === 0 && <Nothing run={run} />}
    </section>
  );
}

function Nothing({ run }: { run: RunState }) {
  const { selection } = run;
  const filtered = selection.op.value !== null || selection.state.value !== null || selection.q.value !== "";
  return (
    <div class="empty">
      {filtered ? (
        <>
          <p>No step is like that.</p>
          <button type="button" onClick={() => selection.set({ op: null, state: null, q: null })}>
            Show all steps
          </button>
        </>
      ) : (
        <p>No steps yet: they are here as soon as the run makes them.</p>
      )}
    </div>
  );
}

function Row({ view, place }: { view: View; place: number }) {
  const row = view.list.row(place);
  const chosen = row !== undefined && view.run.selection.step.value === row.step;
  const classes = [chosen && "is-chosen", view.cursor.value === place && "is-cursor"]
    .filter(Boolean)
    .join(" ");
  if (row === undefined)
    return (
      <tr aria-rowindex={place + 2} class="is-missing">
        <td colSpan={COLUMNS.length}>
          <span class="unseen">loading</span>
        </td>
      </tr>
    );
  return (
    <tr
      aria-rowindex={place + 2}
      aria-current={chosen ? "true" : undefined}
      class={classes}
      data-place={place}
      onClick={(event) => {
        // Text that was selected to be copied is no click.
        if (event.defaultPrevented || event.metaKey || event.ctrlKey || getSelection()?.toString()) return;
        event.preventDefault();
        view.cursor.value = place;
        openRow(view, place);
      }}
    >
      {COLUMNS.map((column) => (
        <td key={column.name} class={column.class}>
          {column.cell(row, view.run)}
        </td>
      ))}
    </tr>
  );
}

function stepCell(row: StepRow, run: RunState): ComponentChildren {
  const keys = row.step.startsWith(row.op) ? row.step.slice(row.op.length) : row.step;
  return (
    <a class="mono" href={run.selection.href({ step: row.step })} title={row.step}>
      <span class={keys === "" ? undefined : "soft"}>{row.op}</span>
      {keys}
    </a>
  );
}

function startCell(row: StepRow, run: RunState): ComponentChildren {
  const { started } = row;
  if (started == null) return "";
  return (
    <span
      onPointerEnter={(event) => {
        event.currentTarget.title = whenWhole(run.detail.peek().run.started + started);
      }}
    >
      {`+${duration(started)}`}
    </span>
  );
}

function saidCell(row: StepRow): ComponentChildren {
  if (row.error != null)
    return (
      <span class={`is-${row.state} st-error`} title={row.error}>
        {row.error}
      </span>
    );
  return (
    <>
      {row.reused && <span class="tag">reused</span>}
      {row.preview != null && <code title={row.preview}>{row.preview}</code>}
      {row.error == null && row.preview == null && !row.reused && row.attempts === 0 && (
        <span class="soft">{word(row.state)}</span>
      )}
    </>
  );
}

/** Follows the scroll position, the wheel, and the keys of the area. */
function listenTo(view: View, area: HTMLElement): () => void {
  const scrolled = () => {
    if (view.set !== null && Math.abs(area.scrollTop - view.set) < 2) return;
    view.set = null;
    view.top.value = topAt(view.area(), area.scrollTop);
  };
  const wheel = (event: WheelEvent) => {
    const size = view.area();
    if (!size.mapped || event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    const by = event.deltaMode === 1 ? event.deltaY * 3 : event.deltaY / ROW_PX;
    const top = view.top.peek();
    const next = Math.min(Math.max(top + by, 0), lastTop(size));
    // At either end the page scrolls on.
    if (next === top) return;
    event.preventDefault();
    goTo(view, area, next);
  };
  const keys = (event: KeyboardEvent) => {
    const rows = view.height.peek() / ROW_PX - 1;
    const moves: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: rows,
      PageUp: -rows,
      Home: -Infinity,
      End: Infinity,
    };
    const by = moves[event.key];
    if (by === undefined || event.target !== area || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    goTo(view, area, view.top.peek() + by);
  };
  const observer = new ResizeObserver(() => {
    view.height.value = Math.max(area.clientHeight - ROW_PX, ROW_PX);
  });
  observer.observe(area);
  area.addEventListener("scroll", scrolled);
  area.addEventListener("wheel", wheel, { passive: false });
  area.addEventListener("keydown", keys);
  return () => {
    observer.disconnect();
    area.removeEventListener("scroll", scrolled);
    area.removeEventListener("wheel", wheel);
    area.removeEventListener("keydown", keys);
  };
}

/** Brings a row to the top. */
function goTo(view: View, area: HTMLElement | null, top: number): void {
  const size = view.area();
  view.top.value = Math.min(Math.max(top, 0), lastTop(size));
  if (area === null) return;
  view.set = Math.round(scrollAt(size, view.top.peek()));
  area.scrollTop = view.set;
}

function moveCursor(view: View, area: HTMLElement | null, by: number): void {
  const total = view.list.total.peek() ?? 0;
  if (total === 0) return;
  const { first } = view.shown();
  const from = view.cursor.peek();
  const next = from === null ? Math.ceil(view.top.peek()) : Math.min(Math.max(from + by, 0), total - 1);
  view.cursor.value = next;
  const top = reveal(view.area(), view.top.peek(), next);
  if (top !== view.top.peek() || next < first) goTo(view, area, top);
  // With the panel open, it goes along with the row.
  if (view.run.selection.step.peek() !== null) openRow(view, next, "replace");
  requestAnimationFrame(() =>
    area?.querySelector<HTMLElement>(`[data-place="${next}"] a`)?.focus({ preventScroll: true }),
  );
}

function openRow(view: View, place: number | null, way: "push" | "replace" = "push"): void {
  const row = place === null ? undefined : view.list.row(place);
  if (row) view.run.selection.set({ step: row.step }, way);
}
