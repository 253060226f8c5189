// A run: its head, its failures, its ops, and four views of the steps that are selected.
import { useEffect, useState } from "preact/hooks";
import { AnswerMark } from "../parts/refused";
import { Events } from "../run/events";
import { Graph } from "../run/graph";
import { VIEWS, type View } from "../run/selection";
import { OpenRun, type RunState } from "../run/state";
import { StepPanel } from "../run/step";
import { Steps } from "../run/steps";
import { Timeline } from "../run/timeline";

const TABS: Record<View, typeof Timeline> = {
  timeline: Timeline,
  graph: Graph,
  steps: Steps,
  events: Events,
};

export function RunPage({ id }: { id: string }) {
  const [open] = useState(() => new OpenRun(id));
  useEffect(() => () => open.close(), []);
  if (open.answer.data.value === null) return <AnswerMark answer={open.answer} />;
  return <Loaded run={open.state} />;
}

function Loaded({ run }: { run: RunState }) {
  const { selection } = run;
  const Tab = TABS[selection.view.value];
  return (
    <div class={selection.step.value === null ? "run" : "run has-panel"}>
      <div class="run-main">
        <h1>{run.detail.value.run.job}</h1>
        <div class="tabs" role="tablist" aria-label="Views">
          {VIEWS.map((view) => (
            <button
              key={view}
              type="button"
              role="tab"
              id={`tab-${view}`}
              aria-controls="view"
              aria-selected={view === selection.view.value}
              onClick={() => selection.set({ view })}
            >
              {view}
            </button>
          ))}
        </div>
        <div id="view" class="view" role="tabpanel" aria-labelledby={`tab-${selection.view.value}`}>
          <Tab run={run} />
        </div>
      </div>
      {selection.step.value !== null && <StepPanel run={run} />}
    </div>
  );
}
