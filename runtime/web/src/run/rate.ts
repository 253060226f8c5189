// How fast steps end: from what was told in the last seconds.

/** How far back a rate looks, in seconds: long enough to be calm, short enough to be true. */
const WINDOW_S = 12;
/** Rates of less than this are not told. */
const LEAST_S = 1.5;

/** Steps that have ended, by time. */
export class Pace {
  #samples: [at: number, done: number][] = [];

  add(at: number, done: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && at <= last[0]) return;
    // A run that was resumed does anew what had ended.
    if (last !== undefined && done < last[1]) this.#samples = [];
    this.#samples.push([at, done]);
    // One sample from before the window is kept, so that the window is whole.
    while ((this.#samples[1]?.[0] ?? at) < at - WINDOW_S) this.#samples.shift();
  }

  /** Steps a second; `null` until enough is known. */
  rate(): number | null {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last[0] - first[0] < LEAST_S) return null;
    return Math.max(0, (last[1] - first[1]) / (last[0] - first[0]));
  }
}

/** Seconds that the rest will take; `null` where nobody can say: it grows, nothing moves, or nothing is left. */
export function rest(known: number, done: number, growing: boolean, rate: number | null): number | null {
  if (growing || rate === null || rate <= 0 || done >= known) return null;
  return (known - done) / rate;
}
