// A stretch of what happened in a run, which grows at either end and never beyond what a page can hold.
import { type Signal, signal } from "@preact/signals";
import { formatQuery } from "../address";
import { type Failure, get, Refused } from "../fetch";
import type { EventPage, EventRow } from "../types";

const PAGE_ROWS = 200;
/** So many rows are kept; beyond, the end that is further away is let go. */
export const MOST_ROWS = 1_200;
/** A search is enough for now when it has found a screen. */
const ENOUGH = 60;

/** What is asked for, but for the place. */
export interface EventFilter {
  op: string | null;
  step: string | null;
  level: string | null;
  kind: string | null;
  q: string;
}

export class EventLog {
  /** Oldest first. */
  readonly rows: Signal<EventRow[]> = signal([]);
  readonly failure: Signal<Failure | null> = signal(null);
  /** How far a search has come, from 0 to 1; `null` while none goes on. */
  readonly searching: Signal<number | null> = signal(null);
  /** Whether there are older rows, and whether the first answer has come. */
  readonly hasOlder = signal(false);
  readonly begun = signal(false);
  /** Whether rows were let go at the newer end, so that what is yet to come does not join on. */
  readonly cutNewer = signal(false);
  #older: string | null = null;
  #newer: string | null = null;
  #filter = "";
  #abort: AbortController | null = null;
  #asksNewer = false;
  #came = Date.now();

  constructor(readonly run: string) {}

  /** Takes a filter, and begins at the newest end. */
  async begin(filter: EventFilter): Promise<void> {
    this.#filter = formatQuery({ ...filter });
    this.#older = this.#newer = null;
    this.begun.value = false;
    this.cutNewer.value = false;
    await this.#back(true);
  }

  /** Looks for older rows. */
  async older(): Promise<void> {
    if (this.hasOlder.peek() && this.searching.peek() === null) await this.#back(false);
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.searching.value = null;
  }

  async #back(first: boolean): Promise<void> {
    this.stop();
    const abort = new AbortController();
    this.#abort = abort;
    let fresh = first;
    let got = 0;
    this.searching.value = 0;
    try {
      while (got < ENOUGH && (fresh || this.#older !== null)) {
        const page = await this.#get({ before: fresh ? null : this.#older }, abort);
        if (abort.signal.aborted) return;
        // Rows of the filter before stay until there are others.
        const rest = fresh ? [] : this.rows.peek();
        if (fresh) this.#newer = page.newer;
        fresh = false;
        got += page.events.length;
        this.#older = page.older ?? null;
        this.hasOlder.value = this.#older !== null;
        this.begun.value = true;
        this.searching.value = page.looked_at;
        this.#keep([...page.events, ...rest], "older");
      }
    } catch (error) {
      this.#fail(error, abort);
    } finally {
      if (this.#abort === abort) this.stop();
    }
  }

  /** Asks for what has come since; gives how many rows that were. */
  async newer(): Promise<number> {
    if (this.#newer === null || this.cutNewer.peek() || this.#asksNewer) return 0;
    this.#asksNewer = true;
    const filter = this.#filter;
    const abort = new AbortController();
    try {
      const page = await this.#get({ after: this.#newer }, abort);
      if (filter !== this.#filter) return 0;
      this.#newer = page.newer;
      if (page.events.length > 0) this.#keep([...this.rows.peek(), ...page.events], "newer");
      return page.events.length;
    } catch (error) {
      this.#fail(error, abort);
      return 0;
    } finally {
      this.#asksNewer = false;
    }
  }

  /** Lets go what is too many, at the end that was not asked for. */
  #keep(rows: EventRow[], grew: "older" | "newer"): void {
    if (rows.length > MOST_ROWS && grew === "older") this.cutNewer.value = true;
    // The cursor of what is let go at the older end is lost: that end is found again from the newest.
    if (rows.length > MOST_ROWS && grew === "newer") this.hasOlder.value = false;
    this.rows.value =
      rows.length <= MOST_ROWS ? rows : grew === "older" ? rows.slice(0, MOST_ROWS) : rows.slice(-MOST_ROWS);
  }

  async #get(place: { before?: string | null; after?: string }, abort: AbortController): Promise<EventPage> {
    const query = formatQuery({ ...place, limit: PAGE_ROWS });
    const address = `/runs/${encodeURIComponent(this.run)}/events${this.#filter}${this.#filter ? query.replace("?", "&") : query}`;
    const page = await get<EventPage>(address, abort.signal);
    this.#came = Date.now();
    this.failure.value = null;
    return page;
  }

  #fail(error: unknown, abort: AbortController): void {
    if (abort.signal.aborted) return;
    if (!(error instanceof Refused)) throw error;
    this.failure.value = { error, since: this.#came };
  }
}
