// How many steps of an op ended over the whole run, in few columns.
import type { Lane, Timeline } from "../types";

/** Steps that ended, by column. */
export function endedOver(lane: Lane, timeline: Timeline, columns: number): number[] {
  const values = new Array<number>(columns).fill(0);
  const span = Math.max(1, timeline.to_us - timeline.from_us);
  const add = (at_us: number, steps: number) => {
    const column = Math.floor(((at_us - timeline.from_us) / span) * columns);
    values[Math.min(columns - 1, Math.max(0, column))] =
      (values[Math.min(columns - 1, Math.max(0, column))] ?? 0) + steps;
  };
  if (timeline.tier === "steps") {
    lane.start_us.forEach((start, at) => {
      add(start + (lane.took_us[at] ?? 0), 1);
    });
  } else {
    lane.bucket.forEach((bucket, at) => {
      add(timeline.from_us + (bucket + 0.5) * timeline.width_us, lane.ended[at] ?? 0);
    });
  }
  return values;
}
