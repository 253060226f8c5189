// The timeline: what ran when, op by op, over the whole run or a window of it.
import { effect, type Signal, signal } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Answer } from "../fetch";
import { count, duration } from "../format";
import { later } from "../later";
import { AnswerMark } from "../parts/refused";
import { dark } from "../theme";
import type { Timeline as TimelineAnswer } from "../types";
import { STEP_STATES, word } from "../words";
import { ended } from "./merge";
import { settled, useRefresh, workTime } from "./refresh";
import type { RunState } from "./state";
import { inBuckets, useOverview } from "./timeline-data";
import { type Hit, type Picture, picture } from "./timeline-lanes";
import { type Palette, paintAxis, paintLanes, paintMap, palette } from "./timeline-paint";
import { type Scale, type Span, scaleOf, tickText } from "./timeline-scale";
import "./timeline.css";

// How it is drawn comes with the first script, so that it is there at once; what hands do, with the second.
const Hands = later((more) => more.TimelineHands);
const ZoomButtons = later((more) => more.ZoomButtons);

export const MAP_PX = 40;
export const AXIS_PX = 22;
/** How long a window must stand still before it is asked for, and written to the address. */
const SETTLE_MS = 140;
const REFRESH_MS = 1_000;

/** What the timeline shows, as it changes while it is looked at. */
export class View {
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
    return running ? Math.max(end, workTime(this.run) * 1e6) : end;
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
    const overview = this.overview.data.peek();
    // A small run that has ended is told step by step already.
    if (span === null && overview?.tier === "steps" && ended(this.run.detail.peek().run.state)) {
      this.fine.stop();
      this.fine.data.value = overview;
      return;
    }
    void this.fine.load(`${this.run.address}/timeline?${query}`);
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
  const of = view.picture();
  if (of === null)
    return overview.failure.value ? <AnswerMark answer={overview} /> : <p class="soft tl-none">Loading…</p>;
  if (of.lanes.length === 0 || view.now() === 0)
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
      <span class="zooms">
        <ZoomButtons view={view} />
      </span>
    </div>
  );
}

/** A time as fine as it can be told in a window of so many microseconds. */
export function at(us: number, long: number): string {
  return tickText(Math.max(us, 0), long / 200);
}

/** The elements that are drawn on, and that of the lanes, which scrolls. */
export interface Places {
  map: { current: HTMLCanvasElement | null };
  axis: { current: HTMLCanvasElement | null };
  lanes: { current: HTMLCanvasElement | null };
  area: { current: HTMLElement | null };
}

/** Mini-map, axis and lanes: three canvases, and the names of the lanes beside them. */
function Drawing({ view, of }: { view: View; of: Picture }) {
  const map = useRef<HTMLCanvasElement>(null);
  const axis = useRef<HTMLCanvasElement>(null);
  const lanes = useRef<HTMLCanvasElement>(null);
  const area = useRef<HTMLDivElement>(null);
  const [places] = useState<Places>({ map, axis, lanes, area });
  useEffect(() => paintOn(view, places), [view]);
  useEffect(() => measure(view, area.current as HTMLElement, axis.current as HTMLElement), [view]);
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
      >
        <div class="tl-names" style={{ height: `${of.height}px` }}>
          {of.lanes.map((lane) => (
            <button
              key={lane.node}
              type="button"
              class="tl-name"
              style={{ height: `${lane.height}px` }}
              data-lane={lane.node}
              aria-pressed={selection.op.value === lane.name}
              title={`${lane.name}: click for this op alone, double-click for its time`}
            >
              <span class="cut">{lane.name}</span>
              <small class="cut">{laneWords(view, lane.node)}</small>
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
      <Hands view={view} places={places} />
    </div>
  );
}

/** Draws at the next frame after anything that is drawn has changed. */
function paintOn(view: View, { map, axis, lanes }: Places): () => void {
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
