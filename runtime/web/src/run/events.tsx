// What happened, line by line: the newest at the bottom, and followed as long as nobody scrolls up.
import { effect, type Signal, signal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { count, whenWhole } from "../format";
import { RefusedMark } from "../parts/refused";
import type { EventRow } from "../types";
import { type EventFilter, EventLog, MOST_ROWS } from "./events-data";
import { Search } from "./filters";
import { useRefresh } from "./refresh";
import type { RunState } from "./state";
import "./events.css";

const REFRESH_MS = 700;
const NEAR_PX = 28;
const LEVELS = ["error", "warn", "info", "debug", "trace"];
/** What may be chosen of kinds: how it is called, and what is asked for. */
const KINDS: [string, string][] = [
  ["Log lines", "log"],
  ["Failures", "attempt_failed,step_failed,step_not_run"],
  ["Begun and ended", "step_started,step_succeeded,step_failed"],
  ["Items", "item_yielded,fan_out_closed,item_moved,item_superseded"],
  ["The run itself", "run_started,run_resumed,run_cancelling,run_ended"],
];
const BAD = ["step_failed", "attempt_failed"];

/** The tab: all of the run, or of the op that is selected. */
export function Events({ run }: { run: RunState }) {
  const { selection } = run;
  const level = selection.other("level");
  const kind = selection.other("kind");
  const filter = { op: selection.op.value, step: null, level, kind, q: selection.q.value };
  return (
    <section class="ev" aria-label="Events">
      <div class="ev-tools">
        <Search run={run} label="Search events and logs" />
        <select
          aria-label="Kind"
          value={kind}
          onChange={(event) => selection.set({ kind: event.currentTarget.value || null }, "replace")}
        >
          <option value="">Events and logs</option>
          {KINDS.map(([name, kinds]) => (
            <option key={kinds} value={kinds}>
              {name}
            </option>
          ))}
        </select>
        <LevelSelect level={level} set={(level) => selection.set({ level }, "replace")} />
      </div>
      <Log run={run} filter={filter} />
    </section>
  );
}

export function LevelSelect({ level, set }: { level: string; set: (level: string | null) => void }) {
  return (
    <select aria-label="Level" value={level} onChange={(event) => set(event.currentTarget.value || null)}>
      <option value="">All levels</option>
      {LEVELS.slice(0, -1).map((one) => (
        <option key={one} value={one}>
          {one === "error" ? "error" : `${one} and worse`}
        </option>
      ))}
    </select>
  );
}

/** How a log is scrolled. */
class View {
  readonly log: EventLog;
  readonly follows = signal(true);
  /** How many rows have come since it was scrolled up. */
  readonly fresh = signal(0);
  /** Rows that are shown whole. */
  readonly open: Signal<ReadonlySet<EventRow>> = signal(new Set());
  /** What is kept of a row that was drawn, so that it is not drawn again. */
  readonly drawn = new WeakMap<EventRow, { node: VNode; open: boolean }>();

  constructor(run: RunState) {
    this.log = new EventLog(run.id);
  }
}

/** The lines that a filter lets through. */
export function Log({ run, filter }: { run: RunState; filter: EventFilter }) {
  const view = useMemo(() => new View(run), [run]);
  const area = useRef<HTMLElement>(null);
  const { log } = view;
  const said = JSON.stringify(filter);
  useEffect(() => {
    view.follows.value = true;
    view.fresh.value = 0;
    void log.begin(filter);
    return () => log.stop();
  }, [log, said]);
  useRefresh(run, REFRESH_MS, () => {
    // While it is read further up, rows come below until there are too many.
    void log.newer(view.follows.peek()).then((came) => {
      if (!view.follows.peek()) view.fresh.value += came;
    });
  });
  useScroll(view, area);
  const rows = log.rows.value;
  const failure = log.failure.value;
  const searching = log.searching.value;
  const searches = searching !== null && (filter.q !== "" || Boolean(filter.level) || Boolean(filter.kind));
  const newest = () => {
    if (log.cutNewer.peek()) void log.begin(filter);
    view.fresh.value = 0;
    view.follows.value = true;
    if (area.current) area.current.scrollTop = area.current.scrollHeight;
  };
  return (
    <div class="ev-box">
      {failure !== null && <RefusedMark error={failure.error} />}
      <section
        ref={area}
        class="ev-area"
        aria-label="Lines"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by keys.
        tabIndex={0}
      >
        {rows.length > 0 && (
          <p class="ev-more soft">{log.hasOlder.value ? "Scroll up for older lines" : "The beginning"}</p>
        )}
        {rows.length === 0 && searching === null && log.begun.value && (
          <p class="empty">Nothing is like that.</p>
        )}
        <ol class="ev-rows">{rows.map((row) => line(view, run, row))}</ol>
      </section>
      {searches && (
        <p class="ev-note" role="status">
          <progress value={searching} aria-label="Searched" /> searched {Math.floor(searching * 100)} %
          <button type="button" class="link" onClick={() => log.stop()}>
            Stop
          </button>
        </p>
      )}
      {!searches && !view.follows.value && (
        <button type="button" class="ev-note ev-new" onClick={newest}>
          ↓{" "}
          {view.fresh.value > 0
            ? `${count(view.fresh.value)}${rows.length < MOST_ROWS ? "" : "+"} new`
            : "Newest"}
        </button>
      )}
    </div>
  );
}

/** Follows the end, or keeps the place while older rows come above it. */
function useScroll(view: View, area: { current: HTMLElement | null }): void {
  const held = useRef({ first: null as EventRow | null, height: 0 });
  const { log } = view;
  useLayoutEffect(() => {
    const place = area.current;
    if (place === null) return;
    const first = log.rows.value[0] ?? null;
    if (view.follows.peek()) place.scrollTop = place.scrollHeight;
    else if (
      first !== held.current.first &&
      held.current.first !== null &&
      log.rows.value.includes(held.current.first)
    )
      place.scrollTop += place.scrollHeight - held.current.height;
    held.current = { first, height: place.scrollHeight };
  }, [log.rows.value]);
  useEffect(() => {
    const place = area.current as HTMLElement;
    let before = place.scrollTop;
    const scrolled = () => {
      const below = place.scrollHeight - place.clientHeight - place.scrollTop;
      const up = place.scrollTop < before;
      before = place.scrollTop;
      if (below < NEAR_PX && !log.cutNewer.peek()) {
        view.follows.value = true;
        view.fresh.value = 0;
      } else if (up) view.follows.value = false;
      if (place.scrollTop < place.clientHeight / 2 && !view.follows.peek()) void log.older();
    };
    place.addEventListener("scroll", scrolled, { passive: true });
    const observer = new ResizeObserver(() => {
      if (view.follows.peek()) place.scrollTop = place.scrollHeight;
    });
    observer.observe(place);
    // Lines have their true height only once they are seen.
    if (place.lastElementChild) observer.observe(place.lastElementChild);
    // A few rows that do not fill the area cannot be scrolled up: what is older comes by itself.
    let frame = 0;
    const stop = effect(() => {
      log.rows.value;
      cancelAnimationFrame(frame);
      if (log.searching.value !== null || !log.hasOlder.value) return;
      frame = requestAnimationFrame(() => {
        if (place.scrollHeight <= place.clientHeight) void log.older();
      });
    });
    return () => {
      stop();
      cancelAnimationFrame(frame);
      observer.disconnect();
      place.removeEventListener("scroll", scrolled);
    };
  }, [view]);
}

/** A line; one that was drawn is taken as it is. */
function line(view: View, run: RunState, row: EventRow): VNode {
  const open = view.open.value.has(row);
  const old = view.drawn.get(row);
  if (old?.open === open) return old.node;
  const node = drawLine(view, run, row, open);
  view.drawn.set(row, { node, open });
  return node;
}

let keys = 0;

function drawLine(view: View, run: RunState, row: EventRow, open: boolean): VNode {
  const log = row.kind === "log";
  const more = row.text.includes("\n") || row.text.length > 160 || row.fields != null;
  const level = row.level ?? (BAD.includes(row.kind) ? "error" : "");
  const turn = () => {
    const next = new Set(view.open.peek());
    if (!next.delete(row)) next.add(row);
    view.open.value = next;
  };
  return (
    <li
      key={view.drawn.get(row)?.node.key ?? ++keys}
      class={`ev-row level-${level} ${open ? "is-open" : ""}`}
    >
      <time
        onPointerEnter={(event) => {
          event.currentTarget.title = whenWhole(run.detail.peek().run.started + row.at);
        }}
      >
        {at(row.at)}
      </time>
      <span class="ev-kind" title={row.kind}>
        {log ? row.level : row.kind.replaceAll("_", " ")}
      </span>
      <span class="ev-text">
        {more ? (
          <button type="button" class="ev-fold" aria-expanded={open} onClick={turn}>
            {open ? row.text : row.text.split("\n", 1)[0]}
          </button>
        ) : (
          row.text
        )}
        {row.fields != null && <Fields fields={row.fields} open={open} />}
        {open && row.target != null && <span class="soft mono">{row.target}</span>}
      </span>
      {row.step != null && (
        <a
          class="ev-step mono"
          href={run.selection.href({ step: row.step })}
          title={row.step}
          onClick={(event) => {
            // The address at the time of the click counts, not that of the drawing.
            if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
            event.preventDefault();
            run.selection.set({ step: row.step ?? null });
          }}
        >
          {row.step}
          {(row.attempt ?? 1) > 1 && ` #${row.attempt}`}
        </a>
      )}
    </li>
  );
}

function Fields({ fields, open }: { fields: unknown; open: boolean }) {
  if (typeof fields !== "object" || fields === null) return null;
  return (
    <span class={open ? "ev-fields is-open" : "ev-fields"}>
      {Object.entries(fields).map(([name, value]) => (
        <span key={name}>
          <i>{name}=</i>
          {typeof value === "string" ? value : JSON.stringify(value)}
        </span>
      ))}
    </span>
  );
}

/** Seconds since the run began, as a clock: `00:12.345`. */
function at(seconds: number): string {
  const whole = Math.max(seconds, 0);
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const rest = (whole % 60).toFixed(3).padStart(6, "0");
  return `${hours > 0 ? `${hours}:` : ""}${two((whole % 3600) / 60)}:${rest}`;
}
