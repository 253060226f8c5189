// The runs of a store.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { formatQuery, go, query, to } from "../address";
import { API, useAnswer } from "../fetch";
import { count } from "../format";
import { useKeys } from "../keys";
import { later } from "../later";
import { open } from "../live";
import { AnswerMark, LostMark } from "../parts/refused";
import { ROW_KEYS } from "../parts/rows";
import { StateBar, StateMark, StateShape } from "../parts/state";
import { Took, When } from "../parts/time";
import { useTitle } from "../title";
import type { JobList, Run, RunPage } from "../types";
import { doneOf, totalOf } from "../words";

const Strip = later((more) => more.Strip);
const Filters = later((more) => more.Filters);
const NoRuns = later((more) => more.NoRuns);

/** Changes that come close together are asked for once. */
const GATHER_MS = 500;

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
  const strip = jobs.data.value?.jobs.filter((job) => job.last.length > 0) ?? [];
  return (
    <div class="page">
      <h1 class="unseen">Runs</h1>
      <AnswerMark answer={runs} />
      <LostMark since={lost} />
      {strip.length > 0 && (
        <div class="strip-place">
          <Strip jobs={strip} />
        </div>
      )}
      <div class="filters-place">{page !== null && <Filters jobs={page.jobs} />}</div>
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
