// What narrows the list of runs down: a strip of the last ones of each job, and filters; and what is said
// where no run is left.
import { change, query, to } from "../address";
import { readOnly } from "../fetch";
import { duration } from "../format";
import { LastRuns } from "../parts/last-runs";
import { StateShape } from "../parts/state";
import type { Job } from "../types";
import { RUN_STATES, word } from "../words";

/** How long ago a run began at most, as the server reads it. */
const SINCE = [
  ["", "any time"],
  ["1h", "last hour"],
  ["1d", "last day"],
  ["7d", "last week"],
];

/** The last runs of each job that has some, at a glance; a click on the name shows only its runs. */
export function Strip({ jobs }: { jobs: Job[] }) {
  const chosen = query.value.job;
  const begun = (job: Job) => job.last[0]?.started ?? 0;
  // The job that ran last comes first: the others are a scroll away.
  const sorted = [...jobs].sort((a, b) => begun(b) - begun(a));
  return (
    <section class="strip" aria-label="Last runs of each job">
      {sorted.map((job) => (
        <article key={job.name} class={job.name === chosen ? "card is-chosen" : "card"}>
          <header>
            <button
              type="button"
              class="link strong cut"
              aria-pressed={job.name === chosen}
              onClick={() => change({ job: job.name === chosen ? null : job.name, after: null }, "push")}
            >
              {job.name}
            </button>
            <span class="soft">{job.median != null ? `median ${duration(job.median)}` : ""}</span>
          </header>
          <LastRuns runs={job.last} job={job.name} slots={40} />
        </article>
      ))}
    </section>
  );
}

export function Filters({ jobs }: { jobs: string[] }) {
  const { job = "", state = "", q = "", since = "" } = query.value;
  const states = new Set(state.split(",").filter(Boolean));
  const toggle = (each: string) => {
    if (!states.delete(each)) states.add(each);
    change({ state: [...states].join(","), after: null }, "push");
  };
  return (
    <search class="filters">
      <input
        type="search"
        data-search
        placeholder="Search id, argument, tag"
        aria-label="Search runs"
        value={q}
        onInput={(event) => change({ q: event.currentTarget.value, after: null }, "replace")}
      />
      <select
        aria-label="Job"
        value={job}
        onChange={(event) => change({ job: event.currentTarget.value, after: null }, "push")}
      >
        <option value="">all jobs</option>
        {jobs.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <select
        aria-label="Begun"
        value={since}
        onChange={(event) => change({ since: event.currentTarget.value, after: null }, "push")}
      >
        {SINCE.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
      <fieldset class="chips">
        <legend class="unseen">State</legend>
        {RUN_STATES.map((each) => (
          <button
            key={each}
            type="button"
            class={`chip is-${each}`}
            aria-pressed={states.has(each)}
            onClick={() => toggle(each)}
          >
            <StateShape state={each} />
            {word(each)}
          </button>
        ))}
      </fieldset>
      <span class="grow" />
      {!readOnly && (
        <a class="button" href={job === "" ? "/jobs" : to(["jobs", job, "launch"])}>
          Launch…
        </a>
      )}
    </search>
  );
}

export function NoRuns({ filtered }: { filtered: boolean }) {
  if (filtered) {
    return (
      <section class="empty">
        <h2>No run is like that</h2>
        <p>
          <a href="/">Show all runs</a>
        </p>
      </section>
    );
  }
  return (
    <section class="empty">
      <h2>No runs yet</h2>
      <p>Start one from a terminal, and it shows up here:</p>
      <p>
        <code>cargo run -- run letters</code>
      </p>
      <p>
        Or <a href="/jobs">launch a job</a> from here.
      </p>
    </section>
  );
}
