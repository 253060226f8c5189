// The failures of a run by their cause, first of all that is seen: many like failures are one line.
import { useSignal } from "@preact/signals";
import { formatQuery } from "../address";
import { get, readOnly } from "../fetch";
import { count, counted, duration } from "../format";
import { StateShape } from "../parts/state";
import type { FailureGroup, StepPage } from "../types";
import { rerunShown } from "./actions";
import { groupId } from "./merge";
import type { RunState } from "./state";

/** How many causes are seen at once; the others are asked for. */
const SEEN = 3;

export function Failures({ run }: { run: RunState }) {
  const { failures, other_failures: others } = run.detail.value;
  const all = run.selection.other("causes") === "all";
  if (failures.length === 0) return null;
  const sorted = [...failures].sort((a, b) => b.count - a.count);
  const seen = all ? sorted : sorted.slice(0, SEEN);
  const total = failures.reduce((sum, group) => sum + group.count, others);
  return (
    <section class="failures" aria-label="Failures">
      <h2>
        <StateShape state="failed" />
        {`${counted(total, "failure")} of ${counted(failures.length, "cause")}${others > 0 ? " and more" : ""}`}
      </h2>
      <ul>
        {seen.map((group) => (
          <Group key={groupId(group)} group={group} run={run} />
        ))}
      </ul>
      {failures.length > SEEN && (
        <button
          type="button"
          class="link more"
          onClick={() => run.selection.set({ causes: all ? null : "all" }, "replace")}
        >
          {all ? "Show fewer" : `Show ${counted(failures.length - SEEN, "more cause")}`}
        </button>
      )}
    </section>
  );
}

function Group({ group, run }: { group: FailureGroup; run: RunState }) {
  const whole = useSignal(false);
  const { selection } = run;
  const { message, causes, kind } = group.error;
  const lines = message.split("\n");
  const more = lines.length > 1 || causes.length > 0;
  return (
    <li>
      <span class="number strong failed">{count(group.count)}×</span>
      <div class="cause">
        <p class="cause-line">
          <a href={selection.href({ op: group.op, state: null })}>{group.op}</a>
          {kind !== "error" && <span class="tag">{kind}</span>}
          <code class={whole.value ? "" : "cut"} title={lines[0]}>
            {lines[0]}
          </code>
          {more && (
            <button
              type="button"
              class="link"
              aria-expanded={whole.value}
              onClick={() => {
                whole.value = !whole.value;
              }}
            >
              {whole.value ? "less" : "more"}
            </button>
          )}
        </p>
        <p class="examples">
          {group.examples.map((step) => (
            <a key={step} class="mono cut" href={selection.href({ step })}>
              {step}
            </a>
          ))}
          <span class="soft">
            {group.count === 1
              ? `at ${duration(group.first_at)}`
              : `${duration(group.first_at)} – ${duration(group.last_at)}`}
            {group.attempts > 1 && `, ${group.attempts} attempts`}
          </span>
        </p>
      </div>
      <span class="cause-acts">
        {group.count > group.examples.length && (
          <a class="button" href={selection.href({ op: group.op, state: "failed", view: "steps" })}>
            Show all
          </a>
        )}
        {run.detail.value.has_job && !readOnly && <RerunButton group={group} run={run} />}
      </span>
      {whole.value && more && (
        <pre>
          {lines.slice(1).join("\n")}
          {causes.map((cause) => `${lines.length > 1 ? "\n" : ""}caused by: ${cause}`).join("\n")}
        </pre>
      )}
    </li>
  );
}

/** How many steps a selection names one by one. */
const NAMED = 50;

/** A cause is no term of a selection: its steps are named one by one, or all that failed are meant. */
function RerunButton({ group, run }: { group: FailureGroup; run: RunState }) {
  const { count: steps, examples, op } = group;
  const failed = run.detail.value.ops.find(({ node }) => node === group.node)?.counts.failed;
  const known = steps <= examples.length;
  const named = known || (steps === failed && steps <= NAMED);
  const act = async () => {
    const names = known || !named ? examples : await failedOf(run, op);
    rerunShown.value = { select: named ? names.map((step) => `${step}*`).join(", ") : "state:failed*" };
  };
  return (
    <button type="button" onClick={() => void act()}>
      {!named ? "Rerun all failed…" : steps === 1 ? "Rerun it…" : "Rerun these…"}
    </button>
  );
}

async function failedOf(run: RunState, op: string): Promise<string[]> {
  const query = formatQuery({ op, state: "failed", limit: NAMED });
  const page = await get<StepPage>(`/runs/${encodeURIComponent(run.id)}/steps${query}`);
  return page.steps.map(({ step }) => step);
}
