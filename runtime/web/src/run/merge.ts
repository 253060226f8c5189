// What is known of a run after a live message: pure, so that it can be tested.
import type { FailureGroup, Live, RunDetail, RunStanding } from "../types";

/** Whether nothing more happens by itself to a run that stands so. */
export function ended(state: RunStanding): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled";
}

/** The run after a message; a message from before what is known changes nothing. */
export function merge(detail: RunDetail, live: Live): RunDetail {
  if (live.seq < detail.seq) return detail;
  const changed = Object.keys(live.ops).length > 0;
  return {
    ...detail,
    // Who comes back with a number is told what came after it: that of a message with more to follow is
    // not yet known.
    seq: live.more ? detail.seq : live.seq,
    now: live.now,
    elapsed: live.elapsed,
    cancelling: live.cancelling ?? null,
    run: { ...detail.run, state: live.state, took: live.took, steps: live.steps },
    ops: changed
      ? detail.ops.map((op) => (live.ops[op.node] ? { ...op, ...live.ops[op.node] } : op))
      : detail.ops,
    running: live.running,
    failures: live.failures.length > 0 ? mergeFailures(detail.failures, live.failures) : detail.failures,
  };
}

/** Groups are told apart by their op and pattern. */
export function groupId(group: FailureGroup): string {
  return `${group.node} ${group.pattern}`;
}

function mergeFailures(known: FailureGroup[], said: FailureGroup[]): FailureGroup[] {
  const groups = new Map(known.map((group) => [groupId(group), group]));
  for (const group of said) groups.set(groupId(group), group);
  return [...groups.values()];
}
