// A time of day, and a duration that goes on.
import { ago, clock, duration, when, whenWhole } from "../format";
import { second } from "../time";

/** `14:03:22 · 3 m ago`. */
export function When({ time, relative = true }: { time: number; relative?: boolean }) {
  const now = second.value;
  return (
    <time
      dateTime={new Date(time * 1_000).toISOString()}
      onPointerEnter={(event) => {
        event.currentTarget.title = whenWhole(time);
      }}
    >
      {when(time, now)}
      {relative && <span class="soft"> · {ago(time, now)}</span>}
    </time>
  );
}

/** Seconds that were known at a time; while they go on, the clock adds to them. */
export function Took({ took, since, goesOn }: { took: number; since: number; goesOn: boolean }) {
  return goesOn ? clock(took + Math.max(0, second.value - since)) : duration(took);
}
