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
/** A first line that is longer may be cut. */
const LONG = 80;
/** How many steps a selection names one by one. */
const NAMED = 50;

export function Failures({ run }: { run: RunState }) {
  const { failures, other_failures: others } = run.detail.value;
  const all = run.selection.other("causes") === "all";
  if (failures.length === 0) return null;
  const sorted = [...failures].sort((a, b) => b.count - a.count);
  const seen = all ? sorted : sorted.slice(0, SEEN);
  const total = failures.reduce((sum, group) => sum + group.count, others);
  const rerun = run.detail.value.has_job && !readOnly;
  return (
    <section class="failures" aria-label="Failures">
      <h2>
        <StateShape state="failed" />
        {`${counted(total, "failure")} of ${counted(failures.length, "cause")}${others > 0 ? " and more" : ""}`}
        {rerun && <RerunButton says="Rerun all failed…" select={() => "state:failed*"} />}
      </h2>
      <ul>
        {seen.map((group) => (
          <Group key={groupId(group)} group={group} run={run} rerun={rerun} alone={group.count === total} />
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

interface GroupProps {
  group: FailureGroup;
  run: RunState;
  /** Whether steps can be rerun from here. */
  rerun: boolean;
  /** Whether nothing else failed. */
  alone: boolean;
}

function Group({ group, run, rerun, alone }: GroupProps) {
  const whole = useSignal(false);
  const { selection } = run;
  const { message, causes, kind } = group.error;
  const line = message.split("\n", 1)[0] as string;
  const more = line !== message || line.length > LONG || causes.length > 0;
  return (
    <li>
      <span class="number strong failed">{count(group.count)}×</span>
      <div class="cause">
        <p class="cause-line">
          <a class="cut" href={selection.href({ op: group.op, state: null })} title={group.op}>
            {group.op}
          </a>
          {kind !== "error" && <span class="tag">{kind}</span>}
          <code class="cut">{line}</code>
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
        {rerun && canName(group, run) && (
          <RerunButton
            says={group.count === 1 ? "Rerun it…" : "Rerun these…"}
            select={() => select(group, run, alone)}
          />
        )}
      </span>
      {whole.value && <pre>{[message, ...causes.map((cause) => `caused by: ${cause}`)].join("\n")}</pre>}
    </li>
  );
}

function RerunButton({ says, select }: { says: string; select: () => string | Promise<string> }) {
  const act = async () => {
    rerunShown.value = { select: await select() };
  };
  return (
    <button type="button" onClick={() => void act()}>
      {says}
    </button>
  );
}

/** Whether the steps of a cause can be named one by one: a cause is no term of a selection. */
function canName({ node, count, examples }: FailureGroup, run: RunState): boolean {
  const failed = run.detail.value.ops.find((op) => op.node === node)?.counts.failed;
  return count <= examples.length || (count === failed && count <= NAMED);
}

/** The steps of a cause, and where nothing else failed, all after them: what else comes after them needs others. */
async function select({ op, count, examples }: FailureGroup, run: RunState, alone: boolean): Promise<string> {
  const query = formatQuery({ op, state: "failed", limit: NAMED });
  const names =
    count <= examples.length
      ? examples
      : (await get<StepPage>(`${run.address}/steps${query}`)).steps.map((row) => row.step);
  return names.map((step) => (alone ? `${step}*` : step)).join(", ");
}
