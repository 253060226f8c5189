// The runs of a store: a strip of the last ones for each job, and a table with filters.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { change, formatQuery, go, query, to } from "../address";
import { API, readOnly, useAnswer } from "../fetch";
import { count, duration } from "../format";
import { useKeys } from "../keys";
import { open } from "../live";
import { LastRuns } from "../parts/chart";
import { AnswerMark, LostMark } from "../parts/refused";
import { ROW_KEYS } from "../parts/rows";
import { StateBar, StateMark, StateShape } from "../parts/state";
import { Took, When } from "../parts/time";
import { useTitle } from "../title";
import type { Job, JobList, Run, RunPage } from "../types";
import { doneOf, RUN_STATES, totalOf, word } from "../words";

/** Changes that come close together are asked for once. */
const GATHER_MS = 300;

export function RunsPage() {
  const { job, state, q, since, after } = query.value;
  const runs = useAnswer<RunPage>(`/runs${formatQuery({ job, state, q, since, after })}`);
  const jobs = useAnswer<JobList>("/jobs");
  const lost = useChanges(() => {
    void runs.again();
    void jobs.again();
  });
  useTitle("Runs");
  useKeys(ROW_KEYS);
  const page = runs.data.value;
  return (
    <div class="page">
      <h1 class="unseen">Runs</h1>
      <AnswerMark answer={runs} />
      <LostMark since={lost} />
      {jobs.data.value !== null && <Strip jobs={jobs.data.value.jobs} />}
      {page !== null && <Filters jobs={page.jobs} />}
      {page?.damaged.map((damage) => (
        <p key={damage} class="refused">
          {damage}
        </p>
      ))}
      {page !== null && page.runs.length > 0 && <Table page={page} />}
      {page !== null && page.runs.length === 0 && (
        <NoRuns filtered={Boolean(job || state || q || since || after)} />
      )}
      {page !== null && <Pages page={page} />}
    </div>
  );
}

/** Listens for changes of the store; gives since when it cannot. */
function useChanges(act: () => void): number | null {
  const latest = useSignal(act);
  latest.value = act;
  const lost = useSignal<number | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const changed = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        latest.peek()();
      }, GATHER_MS);
    };
    const stream = open({ address: () => `${API}/live`, on: { changed }, last: [] });
    const stop = stream.lost.subscribe((since) => {
      // What changed meanwhile was not told.
      if (since === null && lost.peek() !== null) changed();
      lost.value = since;
    });
    return () => {
      clearTimeout(timer);
      stop();
      stream.close();
    };
  }, []);
  return lost.value;
}

/** How long ago a run began at most, as the server reads it. */
const SINCE = [
  ["", "any time"],
  ["1h", "last hour"],
  ["1d", "last day"],
  ["7d", "last week"],
];

/** A job's last runs at a glance; a click on the name shows only its runs. */
function Strip({ jobs }: { jobs: Job[] }) {
  const chosen = query.value.job;
  const begun = (job: Job) => job.last[0]?.started ?? 0;
  // The job that ran last comes first: the others are a scroll away.
  const some = jobs.filter((job) => job.last.length > 0).sort((a, b) => begun(b) - begun(a));
  if (some.length === 0) return null;
  return (
    <section class="strip" aria-label="Last runs of each job">
      {some.map((job) => (
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

function Filters({ jobs }: { jobs: string[] }) {
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

function Table({ page }: { page: RunPage }) {
  // The browser's clock may be another than the server's: only what passed since the answer is added.
  const came = useMemo(() => Date.now() / 1_000, [page]);
  return (
    <div class="card table">
      <table class="runs">
        <thead>
          <tr>
            <th>State</th>
            <th>Run</th>
            <th>Job</th>
            <th>Arguments</th>
            <th>Started</th>
            <th class="number">Duration</th>
            <th class="wide">Steps</th>
            <th class="number">Done</th>
            <th>Rerun of</th>
          </tr>
        </thead>
        <tbody>
          {page.runs.map((run) => (
            <Row key={run.id} run={run} since={came} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ run, since }: { run: Run; since: number }) {
  const address = to(["runs", run.short]);
  const total = totalOf(run.steps);
  return (
    <tr
      onClick={(event) => {
        const plain = event.target instanceof Element && event.target.closest("a,button") === null;
        if (plain && getSelection()?.isCollapsed !== false) go(address);
      }}
    >
      <td class="at-state">
        <StateMark state={run.state} />
      </td>
      <td class="at-id">
        <a data-row class="mono" href={address}>
          {run.short}
        </a>
      </td>
      <td class="at-job">{run.job}</td>
      <td class="at-args">
        <Arguments run={run} />
      </td>
      <td class="at-started">
        <When time={run.started} />
      </td>
      <td class="at-took number">
        <Took took={run.took} since={since} goesOn={run.state === "running"} />
      </td>
      <td class="at-bar">
        <StateBar counts={run.steps} />
      </td>
      <td class="at-done number">
        {run.steps.failed > 0 && (
          <span class="state is-failed" title={`${count(run.steps.failed)} failed`}>
            <StateShape state="failed" />
            {count(run.steps.failed)}
            <span class="unseen"> failed, </span>
          </span>
        )}
        <span>
          {count(doneOf(run.steps))}
          <span class="soft"> / {count(total)}</span>
        </span>
      </td>
      <td class="at-parent">
        {run.parent != null && (
          <a class="mono" href={to(["runs", run.parent.short])}>
            {run.parent.short}
          </a>
        )}
      </td>
    </tr>
  );
}

/** The arguments that are not the defaults, and the tags. */
function Arguments({ run }: { run: Run }) {
  const some = run.args.filter((arg) => arg.is_default !== true);
  return (
    <div class="args cut">
      {some.map((arg) => (
        <span key={arg.name} title={`${arg.name}=${arg.value}`}>
          <span class="soft">{arg.name}=</span>
          {arg.value}
        </span>
      ))}
      {Object.entries(run.tags).map(([name, value]) => (
        <span key={name} class="tag">
          {name}: {value}
        </span>
      ))}
    </div>
  );
}

function NoRuns({ filtered }: { filtered: boolean }) {
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

function Pages({ page }: { page: RunPage }) {
  const { after } = query.value;
  if (page.next == null && after === undefined) return null;
  const other = (next: string | null) => `/${formatQuery({ ...query.value, after: next })}`;
  return (
    <nav class="pages" aria-label="Pages of runs">
      {after !== undefined && <a href={other(null)}>Newest runs</a>}
      {page.next != null && <a href={other(page.next)}>Older runs</a>}
    </nav>
  );
}
