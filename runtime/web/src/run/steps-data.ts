// The steps that a filter lets through, page by page: those on the screen, and few others.
import { type Signal, signal } from "@preact/signals";
import { formatQuery } from "../address";
import { type Failure, get, Refused } from "../fetch";
import type { StepPage, StepRow } from "../types";
import { Pages } from "../virtual";

export const PAGE_ROWS = 200;
const PAGES_KEPT = 4;

/** What is asked for, but for the place in the result. */
export interface Filter {
  op: string | null;
  state: string | null;
  q: string;
  sort: string | null;
}

export class StepList {
  /** How many steps there are; `null` before the first answer. */
  readonly total: Signal<number | null> = signal(null);
  /** Rises when rows have come. */
  readonly version = signal(0);
  readonly failure: Signal<Failure | null> = signal(null);
  /** Whether the rows are those of an older filter. */
  readonly old = signal(false);
  #pages = new Pages<StepRow>(PAGE_ROWS, PAGES_KEPT);
  #asked = new Map<number, AbortController>();
  #filter = "";
  #came = Date.now();

  constructor(readonly run: string) {}

  row(place: number): StepRow | undefined {
    return this.#pages.get(place);
  }

  /** Takes another filter: the rows before it stay until the first answer. */
  filter(filter: Filter): void {
    const text = formatQuery({ ...filter });
    if (text === this.#filter && this.total.peek() !== null) return;
    this.#filter = text;
    this.old.value = this.total.peek() !== null;
    this.stop();
  }

  /** Asks for the pages of these rows that are not there; what else was asked for is given up. */
  need(first: number, end: number): void {
    const needed = this.#pages.needed(first, Math.max(end, first + 1));
    for (const [page, abort] of this.#asked) {
      if (needed.includes(page)) continue;
      abort.abort();
      this.#asked.delete(page);
    }
    for (const page of needed)
      if ((this.old.peek() || !this.#pages.has(page)) && !this.#asked.has(page)) void this.#ask(page);
  }

  /** Asks anew for these rows, in place of those that are shown. */
  again(first: number, end: number): void {
    for (const page of this.#pages.needed(first, Math.max(end, first + 1)))
      if (!this.#asked.has(page)) void this.#ask(page);
  }

  stop(): void {
    for (const abort of this.#asked.values()) abort.abort();
    this.#asked.clear();
  }

  async #ask(page: number): Promise<void> {
    const abort = new AbortController();
    this.#asked.set(page, abort);
    const more = `${this.#filter ? "&" : "?"}after=${page * PAGE_ROWS}&limit=${PAGE_ROWS}`;
    try {
      const address = `/runs/${encodeURIComponent(this.run)}/steps${this.#filter}${more}`;
      const answer = await get<StepPage>(address, abort.signal);
      if (!abort.signal.aborted) this.#take(page, answer);
    } catch (error) {
      if (abort.signal.aborted) return;
      if (!(error instanceof Refused)) throw error;
      this.failure.value = { error, since: this.#came };
    } finally {
      if (this.#asked.get(page) === abort) this.#asked.delete(page);
    }
  }

  #take(page: number, answer: StepPage): void {
    if (this.old.peek()) this.#pages.clear();
    this.#pages.put(page, answer.steps);
    this.#came = Date.now();
    this.old.value = false;
    this.failure.value = null;
    this.total.value = answer.total;
    this.version.value++;
  }
}
