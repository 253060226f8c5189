// How many steps of an op ended over the whole run, in few columns.
import type { Lane, Timeline } from "../types";

/** Steps that ended, by column, of a lane of buckets. */
export function endedOver(lane: Lane, timeline: Timeline, columns: number): number[] {
  const values = new Array<number>(columns).fill(0);
  const perColumn = Math.max(1, timeline.to_us - timeline.from_us) / columns;
  lane.bucket.forEach((bucket, at) => {
    const column = Math.min(columns - 1, Math.floor(((bucket + 0.5) * timeline.width_us) / perColumn));
    values[column] = (values[column] as number) + (lane.ended[at] as number);
  });
  return values;
}
