// The whole run in one coarse answer: for the mini-map, and wherever the fine answer does not reach.
import { effect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Answer } from "../fetch";
import type { Timeline } from "../types";
import { onCommits } from "./refresh";
import type { RunState } from "./state";
import { asBuckets } from "./timeline-pack";

/** How many parts the coarse answer has. */
const COARSE_PX = 600;
const REFRESH_MS = 2_000;

interface Shared {
  answer: Answer<Timeline>;
  users: number;
  stop: () => void;
}

const shared = new WeakMap<RunState, Shared>();

function begin(run: RunState): Shared {
  const answer = new Answer<Timeline>();
  const ask = () => void answer.load(`${run.address}/timeline?px=${COARSE_PX}&lanes=op`);
  const made = { answer, users: 0, stop: () => {} };
  made.stop = effect(() => {
    ask();
    return onCommits(run, REFRESH_MS, ask);
  });
  shared.set(run, made);
  return made;
}

/** The timeline of the whole run, asked for once for all who show it. */
export function useOverview(run: RunState): Answer<Timeline> {
  const entry = shared.get(run) ?? begin(run);
  useEffect(() => {
    entry.users++;
    return () => {
      entry.users--;
      // A change of tabs takes one user away before the next comes.
      setTimeout(() => {
        if (entry.users > 0) return;
        entry.stop();
        entry.answer.stop();
        if (shared.get(run) === entry) shared.delete(run);
      }, 1_000);
    };
  }, [entry]);
  return entry.answer;
}

const whole = new WeakMap<Timeline, Timeline>();

/** The whole run in buckets, also where it is so small that it was answered in steps. */
export function inBuckets(overview: Timeline): Timeline {
  const made = whole.get(overview) ?? asBuckets(overview, COARSE_PX);
  whole.set(overview, made);
  return made;
}
