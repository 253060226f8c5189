// What hands do with the timeline: zoom and move it, point at what is drawn, and open it.
import { useEffect } from "preact/hooks";
import { count, counted, duration } from "../format";
import { useKeys } from "../keys";
import { StateShape } from "../parts/state";
import { word } from "../words";
import { AXIS_PX, at, MAP_PX, type Places, type View } from "./timeline";
import { inBuckets } from "./timeline-data";
import { extent, hitAt, laneAt, nextHit } from "./timeline-hits";
import type { Hit, Picture } from "./timeline-lanes";
import { dragOn, wheelOn } from "./timeline-pointer";
import { type Span, toTime } from "./timeline-scale";
import { isWhole, panBy, selected, within, zoomAt } from "./timeline-zoom";
import "./timeline-hands.css";

/** Shows a window; `null` is the whole run. */
function show(view: View, span: Span | null): void {
  view.hit.value = null;
  view.span.value = span === null || isWhole(span, view.whole()) ? null : within(span, view.whole());
}

function zoom(view: View, factor: number, x = view.width.peek() / 2): void {
  show(view, zoomAt(view.scale(), x, factor, view.whole(), view.gaps()));
}

function pan(view: View, dx: number): void {
  if (view.span.peek() !== null) show(view, panBy(view.scale(), dx, view.whole(), view.gaps()));
}

export function ZoomButtons({ view }: { view: View }) {
  const whole = view.span.value === null;
  useKeys([
    { keys: "+", says: "zoom in", act: () => zoom(view, 0.5) },
    { keys: "=", act: () => zoom(view, 0.5) },
    { keys: "-", says: "zoom out", act: () => zoom(view, 2) },
    { keys: "0", says: "the whole run", act: () => show(view, null) },
  ]);
  return (
    <>
      <button
        type="button"
        aria-label="Zoom out"
        title="Zoom out (-)"
        disabled={whole}
        onClick={() => zoom(view, 2)}
      >
        −
      </button>
      <button type="button" aria-label="Zoom in" title="Zoom in (+)" onClick={() => zoom(view, 0.5)}>
        +
      </button>
      <button type="button" title="The whole run (0)" disabled={whole} onClick={() => show(view, null)}>
        All
      </button>
    </>
  );
}

/** Listens on what is drawn; draws what is dragged over, and words on what is pointed at. */
export function TimelineHands({ view, places }: { view: View; places: Places }) {
  useEffect(() => listen(view, places), [view]);
  const rubber = view.rubber.value;
  return (
    <>
      {rubber && (
        <span
          class="tl-rubber"
          style={{
            left: `calc(var(--names) + ${Math.min(...rubber)}px)`,
            width: `${Math.abs(rubber[1] - rubber[0])}px`,
          }}
        />
      )}
      <Tip view={view} />
    </>
  );
}

/** Wheel, drag, pointing and clicking, and the keys of the lanes. */
function listen(view: View, places: Places): () => void {
  const [map, axis, lanes] = [places.map.current, places.axis.current, places.lanes.current];
  const area = places.area.current;
  if (!map || !axis || !lanes || !area) return () => {};
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
      show(view, selected(view.scale(), a, b, view.whole()));
    },
    cancel: () => {
      view.rubber.value = null;
    },
  };
  const onMap = (x: number) => toTime(view.mapScale(), x);
  const center = (x: number) => {
    const { from, to } = view.window();
    const time = onMap(x);
    show(view, { from: time - (to - from) / 2, to: time + (to - from) / 2 });
  };
  const moves = {
    zoom: (factor: number, x: number) => zoom(view, factor, x),
    pan: (dx: number) => pan(view, dx),
  };
  const stops = [
    wheelOn(lanes, moves, false),
    wheelOn(axis, moves, true),
    wheelOn(map, moves, true),
    dragOn(lanes, {
      ...select,
      pan: (dx) => pan(view, dx),
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
    dragOn(axis, { ...select, pan: (dx) => pan(view, dx) }),
    dragOn(map, {
      move: (a, b) => {
        const [from, to] = [onMap(Math.min(a, b)), onMap(Math.max(a, b))];
        show(view, { from, to });
      },
      end: () => {},
      cancel: () => {},
      click: center,
    }),
    on(area, "keydown", (event) => walk(view, area, event)),
    on(area, "click", (event) => nameClicked(view, event)),
    on(area, "focusout", () => {
      view.hit.value = null;
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function on<K extends keyof HTMLElementEventMap>(
  element: HTMLElement,
  name: K,
  act: (event: HTMLElementEventMap[K]) => void,
): () => void {
  element.addEventListener(name, act);
  return () => element.removeEventListener(name, act);
}

function open(view: View, hit: Hit | null): void {
  if (hit?.step) view.run.selection.set({ step: hit.step });
  else if (hit) {
    // A bucket is opened by going nearer.
    const { from, to } = hit.span;
    const around = (to - from) * 4;
    show(view, { from: from - around, to: to + around });
  }
}

let once: ReturnType<typeof setTimeout> | undefined;
const DOUBLE_MS = 220;

/** A click is an op alone or all of them; as that moves the lanes, it waits for a second click on the same. */
function nameClicked(view: View, event: MouseEvent): void {
  const button = (event.target as Element).closest<HTMLElement>("[data-lane]");
  const lane = view.picture()?.lanes.find((lane) => String(lane.node) === button?.dataset.lane);
  if (lane === undefined) return;
  const { node, name } = lane;
  const { selection } = view.run;
  clearTimeout(once);
  const turn = () => selection.set({ op: selection.op.peek() === name ? null : name });
  if (event.detail > 1) whenActive(view, node, name);
  else if (event.detail === 0) turn();
  else once = setTimeout(turn, DOUBLE_MS);
}

/** The op alone, at the time at which it was active. */
function whenActive(view: View, node: number, name: string): void {
  const overview = view.overview.data.peek();
  const lane = overview && inBuckets(overview).lanes.find((lane) => lane.node === node);
  const span = overview && lane && extent(inBuckets(overview), lane);
  if (span) show(view, span);
  view.run.selection.set({ op: name });
}

function walk(view: View, area: HTMLElement, event: KeyboardEvent): void {
  const of = view.picture();
  if (!of || event.ctrlKey || event.metaKey || event.altKey) return;
  const { key } = event;
  const sideways = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
  const updown = key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0;
  const hit = view.hit.peek();
  if (event.target !== area || (key !== "Enter" && sideways === 0 && updown === 0)) return;
  event.preventDefault();
  if (key === "Enter") open(view, hit);
  else if (event.shiftKey && sideways !== 0) pan(view, sideways * view.width.peek() * 0.2);
  else stepTo(view, of, area, sideways, updown);
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
