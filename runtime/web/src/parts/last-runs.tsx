// A small drawing of the last runs of a job.
import { go, to } from "../address";
import { counted, duration, when } from "../format";
import type { RunBar } from "../types";
import { word } from "../words";

const BAR = 7;
const HEIGHT = 34;

/** The last runs of a job: how long, and what became of them; the newest is on the right. */
export function LastRuns({ runs, job, slots = 50 }: { runs: RunBar[]; job: string; slots?: number }) {
  const seen = runs.slice(0, slots);
  const longest = Math.max(...seen.map((run) => run.took), 1e-9);
  const failed = seen.filter((run) => run.state === "failed").length;
  const width = slots * BAR;
  const now = Date.now() / 1_000;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the table of runs has the same as links, for the keyboard.
    <svg
      class="last-runs"
      viewBox={`0 0 ${width} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${job}: the last ${counted(seen.length, "run")}, ${failed} failed`}
      onClick={(event) => {
        const id =
          event.target instanceof Element
            ? event.target.closest("[data-run]")?.getAttribute("data-run")
            : null;
        if (id) go(to(["runs", id]));
      }}
    >
      {seen.map((run, at) => {
        const height = Math.max(3, (run.took / longest) * HEIGHT);
        const x = width - (at + 1) * BAR;
        return (
          <g key={run.id} data-run={run.id} class={`is-${run.state}`}>
            <title>{`${word(run.state)}, ${duration(run.took)}, ${when(run.started, now)}`}</title>
            <rect class="hit" x={x} y={0} width={BAR} height={HEIGHT} />
            <rect class="part" x={x + 1} y={HEIGHT - height} width={BAR - 2} height={height} rx={1} />
          </g>
        );
      })}
    </svg>
  );
}
