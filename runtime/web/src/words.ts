// The states, by the words of the code.
import { count } from "./format";
import type { RunStanding, StepCounts, StepStanding } from "./types";

export type State = RunStanding | StepStanding;

/** The states of a step in the order of `StepCounts`, as the data API has them by number. */
export const STEP_STATES: StepStanding[] = [
  "succeeded",
  "failed",
  "upstream_failed",
  "skipped",
  "cancelled",
  "running",
  "waiting",
];

export const RUN_STATES: RunStanding[] = ["running", "interrupted", "succeeded", "failed", "cancelled"];

/** `upstream failed`. */
export function word(state: State): string {
  return state.replace("_", " ");
}

/** How many steps there are in all states together. */
export function totalOf(counts: StepCounts): number {
  return STEP_STATES.reduce((sum, state) => sum + counts[state], 0);
}

/** How many steps have ended. */
export function doneOf(counts: StepCounts): number {
  return totalOf(counts) - counts.running - counts.waiting;
}

/** The states that some steps have, with how many: `12 succeeded, 1 failed`. */
export function tell(counts: StepCounts): string {
  const some = STEP_STATES.filter((state) => counts[state] > 0);
  return some.length === 0
    ? "no steps"
    : some.map((state) => `${count(counts[state])} ${word(state)}`).join(", ");
}
