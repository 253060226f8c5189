// A drawing in a square of 16, as lines of one colour.
import type { State } from "../words";

export const TICK = "M3.5 8.5l3 3 6-7";
export const CROSS = "M4 4l8 8M12 4l-8 8";

export function Shape({ path, state }: { path: string; state?: State }) {
  return (
    <svg class={state === undefined ? "shape" : `shape is-${state}`} viewBox="0 0 16 16" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}
