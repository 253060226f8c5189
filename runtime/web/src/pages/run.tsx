// A run: its head, its failures, its ops, and four views of the steps that are selected.
import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useKeys } from "../keys";
import { later } from "../later";
import { announce } from "../parts/announce";
import { AnswerMark, LostMark } from "../parts/refused";
import { StateMark } from "../parts/state";
import { Failures } from "../run/failures";
import { Header } from "../run/header";
import { Ops } from "../run/ops";
import { VIEWS, type View } from "../run/selection";
import { OpenRun, type RunState } from "../run/state";
import { Timeline } from "../run/timeline";
import { useTitle } from "../title";
import { word } from "../words";

const Resizer = later((more) => more.Resizer);
const StepPanel = later((more) => more.StepPanel);
const TABS: Record<View, ComponentType<{ run: RunState }>> = {
  timeline: Timeline,
  graph: later((more) => more.Graph),
  steps: later((more) => more.Steps),
  events: later((more) => more.Events),
};
const NAMES: Record<View, string> = {
  timeline: "Timeline",
  graph: "Graph",
  steps: "Steps",
  events: "Events",
};

export function RunPage({ id }: { id: string }) {
  const [open] = useState(() => new OpenRun(id));
  useEffect(() => () => open.close(), []);
  if (open.answer.data.value === null) {
    return (
      <div class="page">
        <h1 class="unseen">Run {id}</h1>
        <AnswerMark answer={open.answer} />
        {open.answer.failure.value !== null && <a href="/">All runs</a>}
      </div>
    );
  }
  return <Loaded open={open} run={open.state} />;
}

function Loaded({ open, run }: { open: OpenRun; run: RunState }) {
  const { selection } = run;
  const { job, short, state } = run.detail.value.run;
  useTitle(`${word(state)} · ${job} ${short}`);
  useAnnouncements(run);
  useRunKeys(run);
  const panel = selection.step.value !== null;
  return (
    <div class={panel ? "run has-panel" : "run"}>
      <div class="run-main">
        <AnswerMark answer={open.answer} />
        {open.gone.value && (
          <p class="lost">
            This run is gone, as it was pruned: what is shown is the last that was known of it.
          </p>
        )}
        <LostMark since={run.connection.value.lost} />
        <Header run={run} />
        <Failures run={run} />
        <Ops run={run} />
        <Views run={run} />
      </div>
      {panel && <Resizer />}
      {panel && (
        <aside class="panel" aria-label="Step">
          <StepPanel run={run} />
        </aside>
      )}
    </div>
  );
}

function Views({ run }: { run: RunState }) {
  const { selection } = run;
  const Tab = TABS[selection.view.value];
  return (
    <section class="views" aria-label="Steps and events">
      <div class="tab-line">
        <div class="tabs" role="tablist" aria-label="Views">
          {VIEWS.map((view, at) => (
            <button
              key={view}
              type="button"
              role="tab"
              id={`tab-${view}`}
              aria-controls="view"
              aria-selected={view === selection.view.value}
              tabIndex={view === selection.view.value ? 0 : -1}
              title={`${NAMES[view]} (${at + 1})`}
              onKeyDown={(event) => turn(event, run, at)}
              onClick={() => selection.set({ view })}
            >
              {NAMES[view]}
            </button>
          ))}
        </div>
        <Filters run={run} />
      </div>
      <div id="view" class="view" role="tabpanel" aria-labelledby={`tab-${selection.view.value}`}>
        <Tab run={run} />
      </div>
    </section>
  );
}

/** The arrows go from tab to tab, as on other pages with tabs. */
function turn(event: KeyboardEvent, run: RunState, at: number): void {
  const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
  if (by === 0) return;
  event.preventDefault();
  const view = VIEWS[(at + by + VIEWS.length) % VIEWS.length] as View;
  run.selection.set({ view });
  document.getElementById(`tab-${view}`)?.focus();
}

/** What the views are narrowed down to, each with a button that takes it away. */
function Filters({ run }: { run: RunState }) {
  const { op, state } = run.selection;
  if (op.value === null && state.value === null) return null;
  return (
    <div class="chosen">
      {op.value !== null && (
        <button
          type="button"
          class="chip"
          aria-label={`Not only ${op.value}`}
          onClick={() => run.selection.set({ op: null })}
        >
          <span class="cut">{op.value}</span> ×
        </button>
      )}
      {state.value !== null && (
        <button
          type="button"
          class="chip"
          aria-label={`Not only ${word(state.value)}`}
          onClick={() => run.selection.set({ state: null })}
        >
          <StateMark state={state.value} /> ×
        </button>
      )}
    </div>
  );
}

/** A change of state and the first failure are said; what goes on meanwhile is not. */
function useAnnouncements(run: RunState): void {
  const { state, steps, job } = run.detail.value.run;
  const said = useRef({ state, failed: steps.failed > 0 });
  useEffect(() => {
    if (said.current.state !== state) announce(`${job} is ${word(state)}`);
    else if (!said.current.failed && steps.failed > 0) announce(`The first failure of ${job}`);
    said.current = { state, failed: steps.failed > 0 };
  }, [state, steps.failed > 0]);
}

function useRunKeys(run: RunState): void {
  const { selection } = run;
  useKeys([
    ...VIEWS.map((view, at) => ({
      keys: String(at + 1),
      says: NAMES[view],
      act: () => selection.set({ view }),
    })),
    { keys: "/", says: "search", act: () => search(run) },
    { keys: "f", says: "next failure", act: () => nextFailure(run) },
    {
      keys: "Escape",
      says: "close the step, then the selection",
      act: () => {
        if (selection.step.value !== null) selection.set({ step: null });
        else if (selection.state.value !== null || selection.op.value !== null)
          selection.set({ op: null, state: null });
      },
    },
  ]);
}

/** Goes to the field that searches; where there is none, to that of the steps. */
function search(run: RunState): void {
  const field = () => document.querySelector<HTMLElement>("main [data-search]");
  if (field() === null) run.selection.set({ view: "steps" });
  requestAnimationFrame(() => field()?.focus());
}

/** Opens the next of the steps that the failures are told by. */
function nextFailure(run: RunState): void {
  const steps = run.detail.peek().failures.flatMap((group) => group.examples);
  const at = steps.indexOf(run.selection.step.peek() ?? "");
  const next = steps[(at + 1) % steps.length];
  if (next !== undefined) run.selection.set({ step: next });
}
