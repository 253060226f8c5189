// What a launch may say of how the run is run.
import { useId } from "preact/hooks";
import { type Query, query } from "../address";
import type { JobDetail, Limits } from "../types";

const POOL = "pool.";

/** The limits that an address says; what is left out is as the job has it. */
export function limitsOf(query: Query): Partial<Limits> {
  const { max_concurrent, order, fail_fast } = query;
  const pools = Object.entries(query).filter(([name]) => name.startsWith(POOL));
  return {
    ...(max_concurrent ? { max_concurrent: Number(max_concurrent) } : {}),
    ...(order ? { order } : {}),
    ...(fail_fast ? { fail_fast: fail_fast === "true" } : {}),
    ...(pools.length > 0
      ? { pools: Object.fromEntries(pools.map(([name, limit]) => [name.slice(POOL.length), limit])) }
      : {}),
  };
}

/** `team=red, nightly=yes` as tags; what has no `=` is one whose value is empty. */
export function tagsOf(text: string): Record<string, string> {
  const pairs = text
    .split(/[,\n]/)
    .map((pair) => pair.trim())
    .filter(Boolean);
  return Object.fromEntries(
    pairs.map((pair) => [
      pair.split("=", 1)[0] ?? "",
      pair.includes("=") ? pair.slice(pair.indexOf("=") + 1) : "",
    ]),
  );
}

interface Props {
  detail: JobDetail;
  put: (change: Record<string, string | null>) => void;
}

export function Advanced({ detail, put }: Props) {
  const { limits, pools } = detail;
  const said = query.value;
  const any = Object.keys(limitsOf(said)).length > 0 || Boolean(said.tags);
  const usual = limits.order?.replace("_", " ");
  return (
    <details class="card advanced" open={any}>
      <summary>Advanced: limits and tags</summary>
      <div class="form">
        <Row
          name="max_concurrent"
          says="At most so many steps in flight."
          put={put}
          usual={String(limits.max_concurrent ?? "as the job says")}
        />
        <Choice
          name="order"
          says="Whether an item is finished before the next is opened, or a level before the next is begun."
          put={put}
          choices={[
            ["", `as the job says${usual ? `: ${usual}` : ""}`],
            ["depth_first", "depth first"],
            ["breadth_first", "breadth first"],
          ]}
        />
        <Choice
          name="fail_fast"
          says="Whether nothing more starts after the first failure."
          put={put}
          choices={[
            ["", `as the job says${limits.fail_fast == null ? "" : limits.fail_fast ? ": stop" : ": go on"}`],
            ["true", "stop at the first failure"],
            ["false", "go on after failures"],
          ]}
        />
        {Object.entries(pools).map(([pool, limit]) => (
          <Row
            key={pool}
            name={POOL + pool}
            says={`The limit of the pool ${pool}: so many at once (3), or so many starts in a time (10/s).`}
            put={put}
            usual={limit}
          />
        ))}
        <Row name="tags" says="To find the run by: name=value, with commas between." put={put} usual="none" />
      </div>
    </details>
  );
}

interface RowProps {
  name: string;
  says: string;
  put: Props["put"];
}

function Row({ name, says, put, usual }: RowProps & { usual: string }) {
  const id = useId();
  return (
    <div class="field-row">
      <label htmlFor={id}>
        <code>{name.replace(POOL, "pool ")}</code>
      </label>
      <div>
        <input
          id={id}
          autoComplete="off"
          placeholder={usual}
          value={query.value[name] ?? ""}
          aria-describedby={`${id}-says`}
          onInput={(event) => put({ [name]: event.currentTarget.value || null })}
        />
        <p class="soft says" id={`${id}-says`}>
          {says}
        </p>
      </div>
    </div>
  );
}

function Choice({ name, says, put, choices }: RowProps & { choices: [string, string][] }) {
  const id = useId();
  return (
    <div class="field-row">
      <label htmlFor={id}>
        <code>{name}</code>
      </label>
      <div>
        <select
          id={id}
          value={query.value[name] ?? ""}
          aria-describedby={`${id}-says`}
          onChange={(event) => put({ [name]: event.currentTarget.value || null })}
        >
          {choices.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
        <p class="soft says" id={`${id}-says`}>
          {says}
        </p>
      </div>
    </div>
  );
}
