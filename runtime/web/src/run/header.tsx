// The head of a run: how it stands, what it was given, how far it is, and what can be done with it.
import { useMemo } from "preact/hooks";
import { to } from "../address";
import { clock, count, counted, duration, rate } from "../format";
import { Copy } from "../parts/copy";
import { StateBar, StateCounts, StateMark, StateShape } from "../parts/state";
import { When } from "../parts/time";
import type { RunDetail, RunLink } from "../types";
import { doneOf } from "../words";
import { Actions } from "./actions";
import { Pace, rest } from "./rate";
import type { RunState } from "./state";

export function Header({ run }: { run: RunState }) {
  const detail = run.detail.value;
  const { state, short, id, job } = detail.run;
  const cancelling = state === "running" ? (detail.cancelling ?? null) : null;
  return (
    <header class="run-head">
      <div class="run-line">
        <h1>
          <a href={to(["jobs", job])}>{job}</a>
        </h1>
        <span class="run-id">
          <code>{short}</code>
          <Copy text={id} what="the run's whole id" />
        </span>
        <span class="run-state" title={`Driven by ${detail.holder}`}>
          <StateMark state={state} says={cancelling !== null ? "cancelling" : undefined} />
        </span>
        {cancelling !== null && cancelling !== "" && <span class="soft cut">“{cancelling}”</span>}
        <span class="grow" />
        <Actions run={run} />
      </div>
      <Facts run={run} />
      <div class="run-bar">
        <StateBar
          counts={detail.run.steps}
          known={known(detail)}
          growing={detail.ops.some((op) => op.growing)}
        />
        <StateCounts counts={detail.run.steps} />
      </div>
    </header>
  );
}

function known(detail: RunDetail): number {
  return detail.ops.reduce((sum, op) => sum + op.known, 0);
}

function Facts({ run }: { run: RunState }) {
  const detail = run.detail.value;
  const { started, args, parent, tags, state } = detail.run;
  const running = state === "running";
  return (
    <dl class="facts">
      <Fact name="Started">
        <When time={started} />
      </Fact>
      <Fact name={running ? "Elapsed" : "Took"}>
        {running ? clock(run.clock.value) : duration(detail.run.took)}
      </Fact>
      <Progress run={run} />
      {detail.sessions > 1 && <Fact name="Resumed">{counted(detail.sessions - 1, "time")}</Fact>}
      {parent != null && (
        <Fact name="Rerun of">
          <Other run={parent} />
        </Fact>
      )}
      {detail.children.length > 0 && (
        <Fact name="Reruns">
          {detail.children.slice(0, 4).map((child) => (
            <Other key={child.id} run={child} />
          ))}
          {detail.children.length > 4 && <span class="soft">{`+ ${detail.children.length - 4} more`}</span>}
        </Fact>
      )}
      {args.map((arg) => (
        <Fact key={arg.name} name={arg.name} data soft={arg.is_default === true}>
          <span class="value cut" title={arg.value}>
            {arg.value}
          </span>
        </Fact>
      ))}
      {detail.secrets.map((name) => (
        <Fact key={name} name={name} data soft>
          secret
        </Fact>
      ))}
      {Object.entries(tags).map(([name, value]) => (
        <Fact key={name} name={name} data>
          <span class="tag">{value}</span>
        </Fact>
      ))}
    </dl>
  );
}

interface FactProps {
  name: string;
  /** Whether the name is the user's, as that of an argument. */
  data?: boolean;
  /** What is as it always is. */
  soft?: boolean;
  children: preact.ComponentChildren;
}

function Fact({ name, data, soft, children }: FactProps) {
  return (
    <div class={soft ? "soft" : ""}>
      <dt class={data ? "mono" : ""}>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Other({ run }: { run: RunLink }) {
  if (run.state == null) {
    return (
      <span class="mono soft" title="pruned">
        {run.short}
      </span>
    );
  }
  return (
    <a class="mono other" href={to(["runs", run.short])}>
      <StateShape state={run.state} />
      {run.short}
    </a>
  );
}

/** How far it is, how fast, and how long the rest takes, where that can be said. */
function Progress({ run }: { run: RunState }) {
  const detail = run.detail.value;
  const pace = useMemo(() => new Pace(), []);
  const done = doneOf(detail.run.steps);
  const all = known(detail);
  const growing = detail.ops.some((op) => op.growing);
  if (detail.run.state === "running") pace.add(run.now(), done);
  const speed = detail.run.state === "running" ? pace.rate() : null;
  const left = rest(all, done, growing, speed);
  return (
    <>
      <Fact name="Steps">
        <span>
          {count(done)}
          <span class="soft">{` of ${growing ? "≥ " : ""}${count(all)}${growing ? ", still emitting" : ""}`}</span>
        </span>
      </Fact>
      {speed !== null && <Fact name="Rate">{rate(speed)}</Fact>}
      {left !== null && <Fact name="Left">≈ {clock(left)}</Fact>}
    </>
  );
}
