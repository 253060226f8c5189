// A job: what it is for, its graph, what it can be given, and its last runs.
import { formatQuery, to } from "../address";
import { readOnly, useAnswer } from "../fetch";
import { counted, duration } from "../format";
import { useKeys } from "../keys";
import { type Field, fieldsOf } from "../launch/form";
import { Doc, Line } from "../parts/doc";
import { LastRuns } from "../parts/last-runs";
import { AnswerMark } from "../parts/refused";
import { ROW_KEYS } from "../parts/rows";
import { StateMark } from "../parts/state";
import { When } from "../parts/time";
import { GraphPicture } from "../run/graph";
import { useTitle } from "../title";
import type { Job, JobDetail } from "../types";

/** How many of the last runs are listed. */
const LISTED = 10;
/** The graph is as high as it is drawn, and no higher than a screen. */
const AROUND = 72;
const HIGHEST = 640;

export function JobPage({ job: name }: { job: string }) {
  const answer = useAnswer<JobDetail>(`/jobs/${encodeURIComponent(name)}`);
  useTitle(name);
  useKeys(ROW_KEYS);
  const detail = answer.data.value;
  return (
    <div class="page">
      <header class="job-head">
        <h1>{name}</h1>
        <code class="soft">{detail?.job.at}</code>
        <span class="grow" />
        {detail !== null && detail.job.at !== "" && !readOnly && (
          <a class="button main" href={to(["jobs", name, "launch"])}>
            Launch…
          </a>
        )}
      </header>
      <AnswerMark answer={answer} />
      {detail !== null && <Doc text={detail.job.doc} />}
      {detail !== null && <Body detail={detail} />}
    </div>
  );
}

function Body({ detail }: { detail: JobDetail }) {
  const { graph } = detail;
  const fields = fieldsOf(detail.schema, detail.order);
  return (
    <div class="job-body">
      <div class="card">
        <h2>Graph</h2>
        {graph.nodes.length > 0 ? (
          <div class="job-graph" style={{ height: `${Math.min(graph.height + AROUND, HIGHEST)}px` }}>
            <GraphPicture graph={graph} />
          </div>
        ) : (
          <p class="soft inset">
            {detail.job.at === ""
              ? "The program that serves this page does not have the job."
              : "It has no ops."}
          </p>
        )}
      </div>
      <div class="job-side">
        <section class="card" aria-label="Arguments">
          <h2>Arguments</h2>
          {fields.length === 0 ? <p class="soft inset">It takes none.</p> : <Arguments fields={fields} />}
        </section>
        <LastRunsCard job={detail.job} />
      </div>
    </div>
  );
}

function Arguments({ fields }: { fields: Field[] }) {
  return (
    <dl class="arguments">
      {fields.map((field) => (
        <div key={field.name}>
          <dt>
            <code class="strong">{field.name}</code>
            <span class="soft">{KINDS[field.kind]}</span>
            {field.required ? <span class="tag">required</span> : <code class="soft">{field.preset}</code>}
          </dt>
          <dd>
            <Line text={field.says} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

const KINDS: Record<Field["kind"], string> = {
  text: "text",
  secret: "secret",
  whole: "whole number",
  number: "number",
  flag: "yes or no",
  choice: "one of some",
  list: "list",
};

function LastRunsCard({ job }: { job: Job }) {
  return (
    <section class="card" aria-label="Last runs">
      <h2>
        Last runs
        {job.median != null && <span class="soft">{`median ${duration(job.median)}`}</span>}
      </h2>
      {job.last.length === 0 ? (
        <p class="soft inset">None yet.</p>
      ) : (
        <>
          <div class="inset">
            <LastRuns runs={job.last} job={job.name} slots={50} />
          </div>
          <ul class="last-list">
            {job.last.slice(0, LISTED).map((run) => (
              <li key={run.id}>
                <a data-row class="plain" href={to(["runs", run.id])}>
                  <StateMark state={run.state} />
                </a>
                <When time={run.started} />
                <span class="number">{duration(run.took)}</span>
              </li>
            ))}
          </ul>
          <p class="inset">
            <a href={`/${formatQuery({ job: job.name })}`}>{`All runs of ${job.name}`}</a>
            {job.last.length > LISTED && (
              <span class="soft">{` · ${counted(job.last.length, "run")} above`}</span>
            )}
          </p>
        </>
      )}
    </section>
  );
}
