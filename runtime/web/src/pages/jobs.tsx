// The jobs of the program: what each does, how its last runs went, and a button that launches it.
import { to } from "../address";
import { readOnly, useAnswer } from "../fetch";
import { duration } from "../format";
import { useKeys } from "../keys";
import { firstParagraph, Line } from "../parts/doc";
import { LastRuns } from "../parts/last-runs";
import { AnswerMark } from "../parts/refused";
import { ROW_KEYS } from "../parts/rows";
import { StateMark } from "../parts/state";
import { When } from "../parts/time";
import { useTitle } from "../title";
import type { Job, JobList } from "../types";

export function JobsPage() {
  const jobs = useAnswer<JobList>("/jobs");
  useTitle("Jobs");
  useKeys(ROW_KEYS);
  const list = jobs.data.value?.jobs;
  return (
    <div class="page">
      <h1>Jobs</h1>
      <AnswerMark answer={jobs} />
      {list?.length === 0 && <NoJobs />}
      {list !== undefined && list.length > 0 && (
        <ul class="card jobs">
          {list.map((job) => (
            <JobRow key={job.name} job={job} />
          ))}
        </ul>
      )}
    </div>
  );
}

function JobRow({ job }: { job: Job }) {
  const last = job.last[0];
  return (
    <li>
      <div class="job-what">
        <a data-row class="strong" href={to(["jobs", job.name])}>
          {job.name}
        </a>
        <p class="soft">
          <Line text={firstParagraph(job.doc)} />
        </p>
      </div>
      <div class="job-last">
        {last === undefined ? (
          <span class="soft">no runs yet</span>
        ) : (
          <>
            <a class="plain" href={to(["runs", last.id])}>
              <StateMark state={last.state} />
            </a>
            <When time={last.started} />
          </>
        )}
      </div>
      <div class="job-strip">
        {job.last.length > 0 && <LastRuns runs={job.last} job={job.name} slots={40} />}
      </div>
      <div class="job-median">
        {job.median != null && (
          <>
            {duration(job.median)}
            <span class="soft"> median</span>
          </>
        )}
      </div>
      {job.at === "" && <span class="soft">not in this program</span>}
      {job.at !== "" && !readOnly && (
        <a class="button" href={to(["jobs", job.name, "launch"])} aria-label={`Launch ${job.name}`}>
          Launch…
        </a>
      )}
    </li>
  );
}

function NoJobs() {
  return (
    <section class="empty">
      <h2>This program has no jobs yet</h2>
      <p>A job is a function that says how ops hang together:</p>
      <p>
        <code>#[job] fn hello() -&gt; Out&lt;String&gt; {"{ greet() }"}</code>
      </p>
    </section>
  );
}
