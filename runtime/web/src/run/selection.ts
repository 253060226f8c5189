// What of a run is looked at: read from the address and written to it, so that a link shows the same.
import { computed, type ReadonlySignal } from "@preact/signals";
import { formatQuery, go, parseQuery, parts, query, search, to, type Way } from "../address";
import type { StepStanding } from "../types";
import { STEP_STATES } from "../words";

export const VIEWS = ["timeline", "graph", "steps", "events"] as const;
export type View = (typeof VIEWS)[number];

/** What may be changed of it; `null` takes it back. Other names are kept in the address as they are. */
export interface Selected {
  view: View | null;
  op: string | null;
  state: StepStanding | null;
  q: string | null;
  sort: string | null;
  step: string | null;
  /** Seconds since the run began. */
  from: number | null;
  to: number | null;
  [other: string]: string | number | null;
}

export interface Selection {
  /** The tab; the first where nothing is said. */
  view: ReadonlySignal<View>;
  op: ReadonlySignal<string | null>;
  state: ReadonlySignal<StepStanding | null>;
  /** Text to look for. */
  q: ReadonlySignal<string>;
  /** A column, after `-` if downwards: `-duration`. */
  sort: ReadonlySignal<string | null>;
  /** The step whose panel is open. */
  step: ReadonlySignal<string | null>;
  /** The window of the timeline in seconds; `null` for the whole run. */
  from: ReadonlySignal<number | null>;
  to: ReadonlySignal<number | null>;
  /** Another name of the query, as the events' `level`; `""` where nothing is said. */
  other(name: string): string;
  /** Changes some of it: `push` can be undone with the back button, `replace` is for typing and zooming. */
  set(change: Partial<Selected>, way?: Way): void;
  /** The address that shows it so: for links. */
  href(change: Partial<Selected>): string;
}

/** `12.5s` or `12.5` as seconds. */
export function parseTime(text: string | undefined): number | null {
  const seconds = Number.parseFloat(text ?? "");
  return Number.isFinite(seconds) ? seconds : null;
}

/** Seconds as the address has them, to the microsecond. */
export function formatTime(seconds: number): string {
  return `${Number(seconds.toFixed(6))}s`;
}

const text = (name: string) => computed(() => query.value[name] || null);

export function makeSelection(run: string): Selection {
  const inPath = computed(() => (parts.value[2] === "steps" ? (parts.value[3] ?? null) : null));
  const href = (change: Partial<Selected>): string => {
    const said: Record<string, string | number | null> = { ...parseQuery(search.value) };
    if (inPath.value !== null) said.step ??= inPath.value;
    for (const [name, value] of Object.entries(change)) {
      said[name] = typeof value === "number" ? formatTime(value) : (value ?? null);
    }
    if (said.view === VIEWS[0]) said.view = null;
    return to(["runs", run]) + formatQuery(said);
  };
  return {
    view: computed(() => VIEWS.find((view) => view === query.value.view) ?? VIEWS[0]),
    op: text("op"),
    state: computed(() => STEP_STATES.find((state) => state === query.value.state) ?? null),
    q: computed(() => query.value.q ?? ""),
    sort: text("sort"),
    step: computed(() => query.value.step || inPath.value),
    from: computed(() => parseTime(query.value.from)),
    to: computed(() => parseTime(query.value.to)),
    other: (name) => query.value[name] ?? "",
    set: (change, way = "push") => go(href(change), way),
    href,
  };
}
