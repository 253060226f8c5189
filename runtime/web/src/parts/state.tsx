// A state as shape, word and colour: any one of the three is enough to tell it.

import { count } from "../format";
import type { StepCounts } from "../types";
import { STEP_STATES, type State, tell, totalOf, word } from "../words";
import { CROSS, Shape, TICK } from "./shape";

/** The shape of each state, in a square of 16. */
const SHAPES: Record<State, string> = {
  succeeded: TICK,
  failed: CROSS,
  upstream_failed: "M8 2.5v6M8 12.5v1M3 7l5-4.5L13 7",
  skipped: "M3.5 4l4 4-4 4M8.5 4l4 4-4 4",
  cancelled: "M3.8 12.2l8.4-8.4M8 2a6 6 0 1 1 0 12A6 6 0 1 1 8 2",
  running: "M5 3.2v9.6L13 8z",
  waiting: "M8 4.5V8l2.5 1.5M8 2a6 6 0 1 1 0 12A6 6 0 1 1 8 2",
  interrupted: "M5.5 3.5v9M10.5 3.5v9",
};

export function StateShape({ state }: { state: State }) {
  return <Shape path={SHAPES[state]} state={state} />;
}

/** Shape and word. */
export function StateMark({ state, says }: { state: State; says?: string }) {
  return (
    <span class={`state is-${state}`}>
      <StateShape state={state} />
      {says ?? word(state)}
    </span>
  );
}

interface BarProps {
  counts: StepCounts;
  /** How many steps there are, as far as is known; what is not among the counts is left empty. */
  known?: number;
  /** Whether there may be more: the bar has no end then. */
  growing?: boolean;
}

/** How many steps stand how, as one bar. */
export function StateBar({ counts, known = 0, growing }: BarProps) {
  const whole = Math.max(known, totalOf(counts), 1);
  const seen = STEP_STATES.filter((state) => counts[state] > 0 && state !== "waiting");
  const begun = totalOf(counts) - counts.waiting;
  const says = tell(counts) + (growing ? ", and more to come" : "");
  return (
    <span class={growing ? "bar is-growing" : "bar"} role="img" aria-label={says} title={says}>
      {seen.map((state) => (
        // What is rare must be seen all the same: the sheet gives each part some pixels at least.
        <span key={state} class={`part is-${state}`} style={{ flexGrow: counts[state] / whole }} />
      ))}
      <span class="part is-waiting" style={{ flexGrow: 1 - begun / whole }} />
    </span>
  );
}

/** The states of some steps but the plain ones, as shapes with numbers: `✕ 12  ▷ 16`. */
export function StateCounts({ counts, but = [] }: { counts: StepCounts; but?: State[] }) {
  return (
    <span class="counts">
      {STEP_STATES.filter((state) => counts[state] > 0 && !but.includes(state)).map((state) => (
        <span key={state} class={`state is-${state}`} title={`${count(counts[state])} ${word(state)}`}>
          <StateShape state={state} />
          {count(counts[state])}
          <span class="unseen"> {word(state)}</span>
        </span>
      ))}
    </span>
  );
}
