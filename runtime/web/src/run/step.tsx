// The panel of one step: how it stands and why, its attempts, what it read and gave, and what it said.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { API, readOnly, useAnswer } from "../fetch";
import { clock, count, counted, duration } from "../format";
import { useKeys } from "../keys";
import { Command, Copy } from "../parts/copy";
import { AnswerMark } from "../parts/refused";
import { CROSS, Shape } from "../parts/shape";
import { StateMark, StateShape } from "../parts/state";
import type { Neighbours, Step, StepError, StepLink, StepStanding, Turn } from "../types";
import { NO_JOB, rerunShown } from "./actions";
import { LevelSelect, Log } from "./events";
import { useRefresh, workTime } from "./refresh";
import type { RunState } from "./state";
import { asTest, readJson } from "./step-json";
import { NoteView, Value } from "./step-value";
import "./step.css";

const REFRESH_MS = 1_000;

export function StepPanel({ run }: { run: RunState }) {
  const name = run.selection.step.value ?? "";
  const base = `${run.address}/steps/${encodeURIComponent(name)}`;
  const answer = useAnswer<Step>(name === "" ? null : base);
  useRefresh(run, REFRESH_MS, () => void answer.again());
  const step = answer.data.value;
  const old = step !== null && step.step !== name;
  const close = () => run.selection.set({ step: null });
  return (
    <div class={old ? "sp is-old" : "sp"}>
      <header class="sp-head">
        <h2 class="mono" title={name}>
          {step === null || old ? name : <Name step={step} />}
        </h2>
        <Copy text={name} what="the step's name" />
        <button type="button" class="icon" aria-label="Close the step" title="Close (Esc)" onClick={close}>
          <Shape path={CROSS} />
        </button>
      </header>
      <AnswerMark answer={answer} />
      {step === null && answer.failure.value === null && <p class="soft">Loading…</p>}
      {step !== null && <Inside key={step.step} run={run} step={step} base={API + base} />}
    </div>
  );
}

function Name({ step }: { step: Step }) {
  const rest = step.step.startsWith(step.op) ? step.step.slice(step.op.length) : ` ${step.step}`;
  return (
    <>
      <span class={rest === "" ? undefined : "soft"}>{step.op}</span>
      {rest}
    </>
  );
}

function Inside({ run, step, base }: { run: RunState; step: Step; base: string }) {
  return (
    <>
      <Standing run={run} step={step} />
      <Attempts run={run} step={step} />
      <Outputs step={step} base={base} />
      <Notes step={step} />
      <Inputs run={run} step={step} />
      <Logs run={run} step={step} />
      <Near run={run} title="Needs" all={step.upstream} />
      <Near run={run} title="Needed by" all={step.downstream} />
      <Part title="In a terminal">
        <Command text={step.show} says="See it" />
        <Command text={step.rerun} says="Run it again" />
      </Part>
    </>
  );
}

function Part({
  title,
  aside,
  children,
}: {
  title: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <section class="sp-part">
      <div class="sp-title">
        <h3>{title}</h3>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** Links to a step of the same run, in the same panel. */
function To({ run, step, children }: { run: RunState; step: StepLink; children?: ComponentChildren }) {
  return (
    <a
      class={`sp-to mono is-${step.state}`}
      href={run.selection.href({ step: step.step })}
      title={`${step.step}: ${step.state}`}
    >
      <StateShape state={step.state as StepStanding} />
      <span class="cut">{children ?? step.step}</span>
    </a>
  );
}

function Standing({ run, step }: { run: RunState; step: Step }) {
  const { state, why, progress, doc } = step;
  const last = step.turns.findLast((turn) => turn.started != null);
  const started = last?.started;
  const now = workTime(run);
  return (
    <section class="sp-standing">
      <div class="sp-line">
        <StateMark state={state} />
        {started != null && state === "running" && <span>for {clock(now - started)}</span>}
        {last?.took != null && state !== "running" && state !== "waiting" && (
          <span>in {duration(last.took)}</span>
        )}
        {started != null && <span class="soft">began at +{duration(started)}</span>}
        <span class="grow" />
        {!readOnly && (
          <button
            type="button"
            disabled={!run.detail.value.has_job}
            title={run.detail.value.has_job ? undefined : NO_JOB}
            onClick={() => {
              rerunShown.value = { select: step.step };
            }}
          >
            Rerun this step…
          </button>
        )}
      </div>
      {progress != null && <Progress done={progress[0] as number} of={progress[1] as number} />}
      {why != null && (
        <div class={state === "waiting" ? "sp-why" : "sp-why is-bad"}>
          <p>
            {why.text}
            {why.due != null && <b>{why.due > now ? ` in ${clock(why.due - now)}` : " now"}</b>}
          </p>
          {why.steps.map((one) => (
            <To key={one.step} run={run} step={one} />
          ))}
        </div>
      )}
      {doc !== "" && <p class="soft sp-doc">{doc}</p>}
    </section>
  );
}

function Progress({ done, of }: { done: number; of: number }) {
  return (
    <p class="sp-line">
      <progress
        class="grow"
        value={of > 0 ? done : undefined}
        max={of > 0 ? of : undefined}
        aria-label="Progress"
      />
      {count(done)}
      {of > 0 && ` of ${count(of)}`}
    </p>
  );
}

/** The states that turns are drawn in. */
const LOOKS: Record<string, StepStanding> = {
  running: "running",
  resumed: "running",
  succeeded: "succeeded",
  reused: "succeeded",
  remade: "succeeded",
  failed: "failed",
  retrying: "failed",
  not_run: "skipped",
  superseded: "skipped",
};

function Attempts({ run, step }: { run: RunState; step: Step }) {
  const { turns } = step;
  const chosen = useSignal<number | null>(null);
  const failed = turns.findLastIndex((turn) => turn.error != null);
  const at = chosen.value ?? (failed >= 0 ? failed : turns.length - 1);
  const move = (by: number) => {
    chosen.value = Math.min(Math.max(at + by, 0), turns.length - 1);
  };
  useKeys([
    { keys: "[", says: "attempt before", act: () => move(-1) },
    { keys: "]", says: "next attempt", act: () => move(1) },
  ]);
  if (turns.length === 0) return null;
  const turn = turns[Math.min(at, turns.length - 1)];
  return (
    <Part title={turns.some((turn) => turn.attempt > 1) ? "Attempts" : "What happened"}>
      <Bars
        turns={turns}
        now={workTime(run)}
        chosen={at}
        choose={(at) => {
          chosen.value = at;
        }}
      />
      <ul class="sp-turns">
        {turns.map((turn, i) => (
          <li key={i}>
            <button
              type="button"
              class={`sp-turn is-${LOOKS[turn.what] ?? "waiting"}`}
              aria-pressed={i === at}
              onClick={() => {
                chosen.value = i;
              }}
            >
              <span class="number soft">{turn.attempt > 0 ? `#${turn.attempt}` : ""}</span>
              <span class="state">
                <StateShape state={LOOKS[turn.what] ?? "waiting"} />
                {turn.what.replaceAll("_", " ")}
              </span>
              <span class="number">{turn.took == null ? "" : duration(turn.took)}</span>
              <span class="number soft">+{duration(turn.started ?? turn.at)}</span>
              <span class="cut soft">
                {turn.left_behind
                  ? "its thread did not return"
                  : (turn.error?.message ?? (turn.due != null ? `again at +${duration(turn.due)}` : ""))}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {turn?.error != null && <ErrorView error={turn.error} />}
    </Part>
  );
}

interface BarsProps {
  turns: Turn[];
  now: number;
  chosen: number;
  choose: (at: number) => void;
}

/** The attempts on one line of time. */
function Bars({ turns, now, chosen, choose }: BarsProps) {
  const all = turns.flatMap((turn, i) =>
    turn.started == null
      ? []
      : [{ turn, i, from: turn.started, to: turn.started + (turn.took ?? Math.max(now - turn.started, 0)) }],
  );
  if (all.length < 2) return null;
  const start = Math.min(...all.map((bar) => bar.from));
  const long = Math.max(...all.map((bar) => bar.to)) - start || 1;
  return (
    <div class="sp-bars" aria-hidden="true">
      {all.map(({ turn, i, from, to }) => (
        // biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: the list below has the buttons.
        <i
          key={i}
          class={`is-${LOOKS[turn.what] ?? "waiting"} ${i === chosen ? "is-chosen" : ""}`}
          style={{ left: `${((from - start) / long) * 100}%`, width: `${((to - from) / long) * 100}%` }}
          title={`attempt ${turn.attempt}: ${duration(to - from)}`}
          onClick={() => choose(i)}
        />
      ))}
    </div>
  );
}

function ErrorView({ error }: { error: StepError }) {
  const text = [error.message, ...error.causes.map((cause) => `caused by: ${cause}`)].join("\n");
  return (
    <div class="sp-error">
      <div class="sp-line">
        <span class="tag">{error.kind}</span>
        <span class="grow" />
        <Copy text={text} what="the error" />
      </div>
      <p class="sp-said">{error.message}</p>
      {error.causes.length > 0 && (
        <ol>
          {error.causes.map((cause, i) => (
            <li key={i} class="sp-said">
              {cause}
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

function Outputs({ step, base }: { step: Step; base: string }) {
  if (step.outputs.length === 0) return null;
  return (
    <Part title={step.outputs.length === 1 ? "Output" : "Outputs"}>
      {step.outputs.map((output) => (
        <div key={output.name} class="sp-item">
          <p class="sp-line">
            <b class="mono">{output.name}</b>
            <code class="soft cut">{output.type_name}</code>
            {output.dynamic && (
              <span class="tag">{output.items == null ? "items" : counted(output.items, "item")}</span>
            )}
          </p>
          {output.value != null && (
            <Value
              shown={output.value}
              href={`${base}/value/${encodeURIComponent(output.name)}?download=1`}
            />
          )}
          {output.value == null && output.transient && <p class="soft">Its values are never recorded.</p>}
        </div>
      ))}
    </Part>
  );
}

function Notes({ step }: { step: Step }) {
  if (step.metadata.length === 0) return null;
  return (
    <Part title="Metadata">
      <dl class="sp-notes">
        {step.metadata.map((note, i) => (
          <div key={i}>
            <dt>
              {note.name}
              {note.output != null && <span class="soft"> of {note.output}</span>}
            </dt>
            <dd>
              <NoteView note={note} />
            </dd>
          </div>
        ))}
      </dl>
    </Part>
  );
}

function Inputs({ run, step }: { run: RunState; step: Step }) {
  const test = useMemo(() => {
    const inputs = step.inputs.map((input) => ({
      from: input.from,
      value: input.value == null ? null : readJson(input.value.json),
    }));
    return asTest(step.op, step.step, inputs);
  }, [step]);
  const json = useMemo(
    () => `[${step.inputs.map((input) => input.value?.json ?? "null").join(",\n")}]`,
    [step],
  );
  if (step.inputs.length === 0) return null;
  return (
    <Part
      title={step.inputs.length === 1 ? "Input" : "Inputs"}
      aside={
        <span class="sp-copies soft">
          as test <Copy text={test} what="a test in Rust with this input" />
          JSON <Copy text={json} what="the input as JSON" />
        </span>
      }
    >
      {step.inputs.map((input, i) => (
        <div key={i} class="sp-item">
          {input.step == null ? <p>{input.from}</p> : <To run={run} step={input.step} />}
          {input.value != null && <Value shown={input.value} />}
        </div>
      ))}
    </Part>
  );
}

function Logs({ run, step }: { run: RunState; step: Step }) {
  const level = useSignal("");
  if (step.log_lines === 0) return null;
  const filter = { op: null, step: step.step, level: level.value, kind: "log", q: "" };
  const set = (to: string | null) => {
    level.value = to ?? "";
  };
  return (
    <Part
      title={`Log: ${counted(step.log_lines, "line")}`}
      aside={<LevelSelect level={level.value} set={set} />}
    >
      <div class="sp-log" style={{ height: `${Math.min(60 + step.log_lines * 52, 260)}px` }}>
        <Log run={run} filter={filter} />
      </div>
    </Part>
  );
}

function Near({ run, title, all }: { run: RunState; title: string; all: Neighbours[] }) {
  if (all.length === 0) return null;
  return (
    <Part title={title}>
      {all.map((near) => (
        <details key={near.op} class="sp-near" open={near.total <= 3}>
          <summary>
            <span class="mono">{near.op}</span> <span class="soft">{counted(near.total, "step")}</span>
          </summary>
          {near.steps.map((one) => (
            <To key={one.step} run={run} step={one} />
          ))}
          {near.total > near.steps.length && (
            <a href={run.selection.href({ op: near.op, view: "steps", step: null })}>
              All {count(near.total)} in the table
            </a>
          )}
        </details>
      ))}
    </Part>
  );
}
