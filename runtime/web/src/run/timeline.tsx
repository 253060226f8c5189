// The timeline: what ran when, op by op, over the whole run or a window of it.
import { effect, type Signal, signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Answer } from "../fetch";
import { count, counted, duration } from "../format";
import { useKeys } from "../keys";
import { AnswerMark } from "../parts/refused";
import { StateShape } from "../parts/state";
import { dark } from "../theme";
import type { Timeline as TimelineAnswer } from "../types";
import { STEP_STATES, word } from "../words";
import { settled, useRefresh } from "./refresh";
import type { RunState } from "./state";
import { inBuckets, useOverview } from "./timeline-data";
import { dragOn, wheelOn } from "./timeline-hands";
import { extent, type Hit, hitAt, laneAt, nextHit, type Picture, picture } from "./timeline-lanes";
import { type Palette, paintAxis, paintLanes, paintMap, palette } from "./timeline-paint";
import {
  isWhole,
  panBy,
  type Scale,
  type Span,
  scaleOf,
  selected,
  tickText,
  toTime,
  within,
  zoomAt,
} from "./timeline-scale";
import "./timeline.css";

const MAP_PX = 40;
const AXIS_PX = 22;
/** How long a window must stand still before it is asked for, and written to the address. */
const SETTLE_MS = 140;
const REFRESH_MS = 1_000;

/** What the timeline shows, as it changes while it is looked at. */
class View {
  /** The window in microseconds; `null` for all of the run, also while that grows. */
  readonly span: Signal<Span | null> = signal(null);
  readonly width = signal(0);
  readonly scroll = signal(0);
  readonly height = signal(0);
  readonly hit: Signal<Hit | null> = signal(null);
  /** What is dragged over, in pixels. */
  readonly rubber: Signal<[number, number] | null> = signal(null);
  readonly fine = new Answer<TimelineAnswer>();
  colours: Palette | null = null;
  keyed = false;
  /** Where the pointer is, so that the words are near it. */
  pointer = 0;

  constructor(
    readonly run: RunState,
    readonly overview: Answer<TimelineAnswer>,
  ) {
    this.span.value = this.said();
  }

  /** The window that the address says. */
  said(): Span | null {
    const { from, to } = this.run.selection;
    if (from.value === null && to.value === null) return null;
    const start = (from.value ?? 0) * 1e6;
    return { from: start, to: Math.max((to.value ?? this.now() / 1e6) * 1e6, start + 1) };
  }

  /** The end of the run so far: of what is recorded, or of the clock while it runs. */
  now(): number {
    const end = this.overview.data.value?.end_us ?? 0;
    const running = this.run.detail.value.run.state === "running";
    return running ? Math.max(end, this.run.detail.value.elapsed * 1e6) : end;
  }

  whole(): Span {
    return { from: 0, to: Math.max(this.now(), 1) };
  }

  window(): Span {
    return this.span.value ?? this.whole();
  }

  gaps(): Span[] {
    return (this.overview.data.value?.gaps ?? []).map((gap) => ({
      from: gap[0] as number,
      to: gap[1] as number,
    }));
  }

  scale(): Scale {
    return scaleOf(this.window(), this.width.value, this.gaps());
  }

  /** The mini-map ends where what is known of the whole run ends. */
  mapScale(): Scale {
    const to = Math.max(this.overview.data.value?.end_us ?? 0, 1);
    return scaleOf({ from: 0, to }, this.width.value, this.gaps());
  }

  picture(): Picture | null {
    const overview = this.overview.data.value;
    if (overview === null) return null;
    const fine = this.fine.data.value;
    const { from, to } = this.window();
    // Bars of an old window say nothing of what lies beside it: then strips are nearer to the truth.
    const beside =
      fine?.tier === "steps" && (fine.from_us > from + 1 || Math.min(to, overview.end_us) > fine.to_us + 1);
    const stale = beside && (fine.to_us - fine.from_us) * 3 < to - from;
    return picture(inBuckets(overview), stale ? null : fine, this.run.selection.op.value);
  }

  show(span: Span | null): void {
    this.hit.value = null;
    this.span.value = span === null || isWhole(span, this.whole()) ? null : within(span, this.whole());
  }

  zoom(factor: number, x = this.width.peek() / 2): void {
    this.show(zoomAt(this.scale(), x, factor, this.whole(), this.gaps()));
  }

  pan(dx: number): void {
    if (this.span.peek() !== null) this.show(panBy(this.scale(), dx, this.whole(), this.gaps()));
  }

  ask(): void {
    const span = this.span.peek();
    const width = this.width.peek();
    if (width === 0) return;
    const query = new URLSearchParams({ px: String(Math.min(Math.ceil(width), 2_000)), lanes: "op" });
    if (span !== null) {
      query.set("from", String(span.from / 1e6));
      query.set("to", String(span.to / 1e6));
    }
    const op = this.run.selection.op.peek();
    if (op !== null) query.set("op", op);
    void this.fine.load(`/runs/${encodeURIComponent(this.run.id)}/timeline?${query}`);
  }
}

export function Timeline({ run }: { run: RunState }) {
  const overview = useOverview(run);
  const view = useMemo(() => new View(run, overview), [run, overview]);
  const { selection } = run;
  useAddress(view);
  useRefresh(run, REFRESH_MS, () => {
    const span = view.span.peek();
    if (span === null || span.to >= (view.fine.data.peek()?.end_us ?? 0)) view.ask();
  });
  useKeys([
    { keys: "+", says: "zoom in", act: () => view.zoom(0.5) },
    { keys: "=", act: () => view.zoom(0.5) },
    { keys: "-", says: "zoom out", act: () => view.zoom(2) },
    { keys: "0", says: "the whole run", act: () => view.show(null) },
  ]);
  const of = view.picture();
  if (of === null)
    return overview.failure.value ? <AnswerMark answer={overview} /> : <p class="soft tl-none">Loading…</p>;
  if (of.lanes.length === 0)
    return (
      <p class="soft tl-none">
        Nothing has run{selection.op.value === null ? "" : ` of ${selection.op.value}`} yet.
      </p>
    );
  return (
    <section class="tl" aria-label="Timeline">
      <Tools view={view} />
      <AnswerMark answer={view.fine} />
      <Drawing view={view} of={of} />
      <Tip view={view} />
    </section>
  );
}

/** Keeps window and address together, and asks for what the window shows once it stands still. */
function useAddress(view: View): void {
  useEffect(() => {
    const { selection } = view.run;
    let written: string | null = null;
    const rest = settled(SETTLE_MS, () => {
      const span = view.span.peek();
      const from = span === null ? null : Math.round(span.from) / 1e6;
      const to = span === null ? null : Math.round(span.to) / 1e6;
      written = `${from} ${to}`;
      if (from !== selection.from.peek() || to !== selection.to.peek())
        selection.set({ from, to }, "replace");
      view.ask();
    });
    const stops = [
      effect(() => {
        view.span.value;
        view.width.value;
        selection.op.value;
        rest.call();
      }),
      effect(() => {
        const said = `${selection.from.value} ${selection.to.value}`;
        // The back button, or a link, not our own writing.
        if (written !== null && said !== written) view.span.value = view.said();
      }),
    ];
    return () => {
      rest.stop();
      for (const stop of stops) stop();
      view.fine.stop();
    };
  }, [view]);
}

function Tools({ view }: { view: View }) {
  const { from, to } = view.window();
  return (
    <div class="tl-tools">
      <span class="tl-window soft">
        {view.span.value === null ? "Whole run" : `${at(from, to - from)} – ${at(to, to - from)}`}
        <span class="tl-long"> · {duration((to - from) / 1e6)}</span>
      </span>
      <span class="grow" />
      <ul class="tl-legend" aria-label="Colours">
        {STEP_STATES.filter((state) => state !== "waiting" && view.run.detail.value.run.steps[state] > 0).map(
          (state) => (
            <li key={state} class={`is-${state}`}>
              <i /> {word(state)}
            </li>
          ),
        )}
      </ul>
      <span class="tl-buttons">
        <button
          type="button"
          aria-label="Zoom out"
          title="Zoom out (-)"
          disabled={view.span.value === null}
          onClick={() => view.zoom(2)}
        >
          −
        </button>
        <button type="button" aria-label="Zoom in" title="Zoom in (+)" onClick={() => view.zoom(0.5)}>
          +
        </button>
        <button
          type="button"
          title="The whole run (0)"
          disabled={view.span.value === null}
          onClick={() => view.show(null)}
        >
          All
        </button>
      </span>
    </div>
  );
}

/** A time as fine as it can be told in a window of so many microseconds. */
function at(us: number, long: number): string {
  return tickText(Math.max(us, 0), long / 200);
}

/** Mini-map, axis and lanes: three canvases, and the names of the lanes beside them. */
function Drawing({ view, of }: { view: View; of: Picture }) {
  const map = useRef<HTMLCanvasElement>(null);
  const axis = useRef<HTMLCanvasElement>(null);
  const lanes = useRef<HTMLCanvasElement>(null);
  const area = useRef<HTMLDivElement>(null);
  useEffect(() => paintOn(view, map, axis, lanes), [view]);
  useEffect(() => measure(view, area.current as HTMLElement, axis.current as HTMLElement), [view]);
  useEffect(() => hands(view, map.current, axis.current, lanes.current), [view]);
  const rubber = view.rubber.value;
  const { selection } = view.run;
  return (
    <div class="tl-grid">
      <span class="tl-corner soft">run</span>
      <canvas
        ref={map}
        class="tl-map"
        style={{ height: `${MAP_PX}px` }}
        role="img"
        aria-label={mapSentence(view)}
      />
      <span class="tl-corner" />
      <canvas
        ref={axis}
        class="tl-axis"
        style={{ height: `${AXIS_PX}px` }}
        role="img"
        aria-label="Time since the run began"
      />
      <section
        ref={area}
        class="tl-area"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled and walked through by keys.
        tabIndex={0}
        aria-label="Lanes: arrow keys walk through them, Enter opens a step"
        onScroll={(event) => {
          view.scroll.value = event.currentTarget.scrollTop;
        }}
        onKeyDown={(event) => walk(view, event)}
        onBlur={() => {
          view.hit.value = null;
        }}
      >
        <div class="tl-names" style={{ height: `${of.height}px` }}>
          {of.lanes.map((lane) => (
            <button
              key={lane.node}
              type="button"
              class="tl-name"
              style={{ height: `${lane.height}px` }}
              aria-pressed={selection.op.value === lane.name}
              title={`${lane.name}: click for this op alone, double-click for its time`}
              onClick={(event) => nameClicked(view, event.detail, lane.node, lane.name)}
            >
              <span class="cut">{lane.name}</span>
              <small>{laneWords(view, lane.node)}</small>
            </button>
          ))}
        </div>
        <div class="tl-pane" style={{ height: `${of.height}px` }}>
          <canvas
            ref={lanes}
            class="tl-lanes"
            role="img"
            aria-label={sentence(view)}
            style={{ height: `${view.height.value}px` }}
          />
        </div>
      </section>
      {rubber && (
        <span
          class="tl-rubber"
          style={{
            left: `calc(var(--names) + ${Math.min(...rubber)}px)`,
            width: `${Math.abs(rubber[1] - rubber[0])}px`,
          }}
        />
      )}
    </div>
  );
}

/** Draws at the next frame after anything that is drawn has changed. */
function paintOn(
  view: View,
  map: { current: HTMLCanvasElement | null },
  axis: { current: HTMLCanvasElement | null },
  lanes: { current: HTMLCanvasElement | null },
): () => void {
  let frame = 0;
  let next: (() => void) | null = null;
  const stopColours = effect(() => {
    dark.value;
    view.colours = null;
  });
  const stop = effect(() => {
    dark.value;
    const of = view.picture();
    const scale = view.scale();
    const whole = view.mapScale();
    const [scroll, height, hit] = [view.scroll.value, view.height.value, view.hit.value];
    const step = view.run.selection.step.value;
    const now = view.now();
    next = () => {
      if (of === null || !map.current || !axis.current || !lanes.current || scale.width < 1) return;
      view.colours ??= palette();
      const colours = view.colours;
      paintMap(map.current, of, whole, scale.span, MAP_PX, colours);
      paintAxis(axis.current, scale, AXIS_PX, colours);
      paintLanes(lanes.current, { of, scale, colours, scroll, height, now, hit, step });
    };
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      next?.();
    });
  });
  return () => {
    stop();
    stopColours();
    cancelAnimationFrame(frame);
  };
}

function measure(view: View, area: HTMLElement, axis: HTMLElement): () => void {
  const read = () => {
    view.width.value = axis.clientWidth;
    view.height.value = area.clientHeight;
  };
  const observer = new ResizeObserver(read);
  observer.observe(area);
  observer.observe(axis);
  read();
  return () => observer.disconnect();
}

/** Wheel, drag, pointing and clicking. */
function hands(
  view: View,
  map: HTMLCanvasElement | null,
  axis: HTMLCanvasElement | null,
  lanes: HTMLCanvasElement | null,
): () => void {
  if (!map || !axis || !lanes) return () => {};
  const point = (x: number, y: number): Hit | null => {
    const of = view.picture();
    return of && hitAt(of, view.scale(), x, y + view.scroll.peek(), view.now());
  };
  const select = {
    move: (a: number, b: number) => {
      view.rubber.value = [a, b];
    },
    end: (a: number, b: number) => {
      view.rubber.value = null;
      view.show(selected(view.scale(), a, b, view.whole()));
    },
    cancel: () => {
      view.rubber.value = null;
    },
  };
  const onMap = (x: number) => toTime(view.mapScale(), x);
  const center = (x: number) => {
    const { from, to } = view.window();
    const time = onMap(x);
    view.show({ from: time - (to - from) / 2, to: time + (to - from) / 2 });
  };
  const stops = [
    wheelOn(lanes, view, false),
    wheelOn(axis, view, true),
    wheelOn(map, view, true),
    dragOn(lanes, {
      ...select,
      pan: (dx) => view.pan(dx),
      click: (x, y) => {
        const hit = point(x, y);
        if (hit?.step) open(view, hit);
      },
      double: (_, y) => {
        const of = view.picture();
        const lane = of && laneAt(of, y + view.scroll.peek());
        if (lane) whenActive(view, lane.node, lane.name);
      },
      hover: (x, y) => {
        view.keyed = false;
        view.pointer = x;
        view.hit.value = point(x, y);
      },
      leave: () => {
        view.hit.value = null;
      },
    }),
    dragOn(axis, { ...select, pan: (dx) => view.pan(dx) }),
    dragOn(map, {
      move: (a, b) => {
        const [from, to] = [onMap(Math.min(a, b)), onMap(Math.max(a, b))];
        view.show({ from, to });
      },
      end: () => {},
      cancel: () => {},
      click: center,
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function open(view: View, hit: Hit | null): void {
  if (hit?.step) view.run.selection.set({ step: hit.step });
  else if (hit) {
    // A bucket is opened by going nearer.
    const { from, to } = hit.span;
    const around = (to - from) * 4;
    view.show({ from: from - around, to: to + around });
  }
}

let once: ReturnType<typeof setTimeout> | undefined;
const DOUBLE_MS = 220;

/** A click is an op alone or all of them; as that moves the lanes, it waits for a second click on the same. */
function nameClicked(view: View, clicks: number, node: number, name: string): void {
  const { selection } = view.run;
  clearTimeout(once);
  const turn = () => selection.set({ op: selection.op.peek() === name ? null : name });
  if (clicks > 1) whenActive(view, node, name);
  else if (clicks === 0) turn();
  else once = setTimeout(turn, DOUBLE_MS);
}

/** The op alone, at the time at which it was active. */
function whenActive(view: View, node: number, name: string): void {
  const overview = view.overview.data.peek();
  const lane = overview && inBuckets(overview).lanes.find((lane) => lane.node === node);
  const span = overview && lane && extent(inBuckets(overview), lane);
  if (span) view.show(span);
  view.run.selection.set({ op: name });
}

function walk(view: View, event: KeyboardEvent): void {
  const of = view.picture();
  if (!of || event.ctrlKey || event.metaKey || event.altKey) return;
  const { key } = event;
  const sideways = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
  const updown = key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0;
  const hit = view.hit.peek();
  if (event.target !== event.currentTarget || (key !== "Enter" && sideways === 0 && updown === 0)) return;
  event.preventDefault();
  if (key === "Enter") open(view, hit);
  else if (event.shiftKey && sideways !== 0) view.pan(sideways * view.width.peek() * 0.2);
  else stepTo(view, of, event.currentTarget as HTMLElement, sideways, updown);
}

/** Points at the next thing in a direction, and brings it into sight. */
function stepTo(view: View, of: Picture, area: HTMLElement, sideways: number, updown: number): void {
  const hit = view.hit.peek();
  view.keyed = true;
  const place = hit ? of.lanes.findIndex((lane) => lane.node === hit.lane.node) : -1;
  const lane = of.lanes[Math.min(Math.max(place < 0 ? 0 : place + updown, 0), of.lanes.length - 1)];
  if (!lane) return;
  const by = sideways === -1 ? -1 : 1;
  const next =
    nextHit(of, lane, view.scale(), hit, by, view.now()) ??
    (updown === 0 ? null : nextHit(of, lane, view.scale(), null, by, view.now()));
  if (!next) return;
  view.hit.value = next;
  const { y, h } = next.box;
  if (y < area.scrollTop) area.scrollTop = y - 4;
  else if (y + h > area.scrollTop + area.clientHeight) area.scrollTop = y + h + 4 - area.clientHeight;
}

/** What is pointed at, in words; what the keyboard points at is read aloud. */
function Tip({ view }: { view: View }) {
  const hit = view.hit.value;
  const { width } = view;
  const said = hit === null ? null : tipWords(hit);
  const middle = hit === null ? 0 : Math.min(Math.max(hit.box.x + hit.box.w / 2, 0), width.value);
  const left = view.keyed ? middle : view.pointer;
  const below = hit === null ? 0 : hit.box.y + hit.box.h - view.scroll.value + MAP_PX + AXIS_PX;
  return (
    <>
      <p class="unseen" role="status">
        {view.keyed && said?.join(", ")}
      </p>
      {hit !== null && said !== null && (
        <div
          class={left > width.value / 2 ? "tl-tip at-right" : "tl-tip"}
          aria-hidden="true"
          style={{ "--x": `${left}px`, "--y": `${Math.round(below)}px` }}
        >
          <b class="mono">{said[0]}</b>
          <span class={`state is-${hit.state}`}>
            <StateShape state={hit.state} />
            {said[1]}
          </span>
          <span>{said[2]}</span>
          <span class="soft">{said[3]}</span>
        </div>
      )}
    </>
  );
}

/** Its name, its state, how much, and when. */
function tipWords({
  step,
  lane,
  state,
  span,
  active,
  ended,
  attempts,
}: Hit): [string, string, string, string] {
  const long = span.to - span.from;
  const when = `${at(span.from, long)} – ${at(span.to, long)}`;
  if (step !== null) {
    const tries = attempts > 1 ? `, ${counted(attempts, "attempt")}` : "";
    return [step, word(state), duration(long / 1e6) + tries, when];
  }
  const worst = state === "failed" || state === "upstream_failed" || state === "cancelled";
  const many = `${count(active)} active${ended > 0 ? `, ${count(ended)} ended` : ""}`;
  return [lane.name, worst ? `at worst ${word(state)}` : word(state), many, when];
}

function laneWords(view: View, node: number): string {
  const op = view.run.detail.value.ops.find((op) => op.node === node);
  if (!op) return "";
  const done = op.known - op.counts.running - op.counts.waiting;
  return `${count(done)} of ${op.growing ? "≥ " : ""}${count(op.known)}`;
}

/** The picture in words, for those who do not see it: its twin is the table of steps. */
function sentence(view: View): string {
  const op = view.run.selection.op.value;
  const ops = view.run.detail.value.ops.filter((one) => op === null || one.name === op);
  const told = ops.slice(0, 8).map((one) => {
    const failed = one.counts.failed > 0 ? `, ${count(one.counts.failed)} failed` : "";
    return `${one.name}: ${laneWords(view, one.node)} done${failed}`;
  });
  const more = ops.length > told.length ? `; ${ops.length - told.length} more ops` : "";
  return `${told.join("; ")}${more}. The Steps tab has the same as a table.`;
}

function mapSentence(view: View): string {
  const { from, to } = view.window();
  return `The whole run of ${duration(view.now() / 1e6)}; shown is ${at(from, to - from)} to ${at(to, to - from)}`;
}
