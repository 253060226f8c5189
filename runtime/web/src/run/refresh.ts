// When what is shown of a run is asked for anew: after new commits, and no more often than is calm.
import { useEffect, useRef } from "preact/hooks";
import type { RunState } from "./state";

/** Calls `act` after new commits of the run, at most once in `ms` milliseconds. */
export function useRefresh(run: RunState, ms: number, act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => onCommits(run, ms, () => latest.current()), [run]);
}

/** As [`useRefresh`], outside of a component; gives what ends it. */
export function onCommits(run: RunState, ms: number, act: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = Date.now();
  let seen = run.lastSeq.peek();
  const end = run.lastSeq.subscribe((seq) => {
    if (seq === seen) return;
    seen = seq;
    timer ??= setTimeout(
      () => {
        timer = undefined;
        last = Date.now();
        act();
      },
      Math.max(0, last + ms - Date.now()),
    );
  });
  return () => {
    end();
    clearTimeout(timer);
  };
}

/** Gives what calls `act` once `ms` milliseconds after its last call. */
export function settled(ms: number, act: () => void): { call: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    call: () => {
      clearTimeout(timer);
      timer = setTimeout(act, ms);
    },
    stop: () => clearTimeout(timer),
  };
}

/** The run's time in seconds, as its events have it, which goes on each second while it runs. */
export function workTime(run: RunState): number {
  const { elapsed, run: head } = run.detail.value;
  const since = head.state === "running" ? run.clock.value - Math.max(head.took, elapsed) : 0;
  return elapsed + Math.max(since, 0);
}
