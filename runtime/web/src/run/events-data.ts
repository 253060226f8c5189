// A stretch of what happened in a run, which grows at either end and never beyond what a page can hold.
import { type Signal, signal } from "@preact/signals";
import { formatQuery } from "../address";
import { type Failure, get, Refused } from "../fetch";
import type { EventPage, EventRow } from "../types";

const PAGE_ROWS = 100;
/** So many rows are kept; beyond, the end that is further away is let go. */
export const MOST_ROWS = 800;
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
        if (fresh) {
          this.#newer = page.newer;
          this.cutNewer.value = false;
        }
        fresh = false;
        got += page.events.length;
        this.#older = page.older ?? null;
        this.hasOlder.value = this.#older !== null;
        this.begun.value = true;
        this.searching.value = page.looked_at;
        this.#keep(page.events, rest);
      }
    } catch (error) {
      this.#fail(error, abort);
    } finally {
      if (this.#abort === abort) this.stop();
    }
  }

  /**
   * Asks for what has come since; gives how many rows that were. Where it is followed and more came than can be
   * read, it begins anew at the newest: what is between is found by going back.
   */
  async newer(follows: boolean): Promise<number> {
    const full = this.rows.peek().length >= MOST_ROWS;
    if (this.#newer === null || this.cutNewer.peek() || this.#asksNewer || this.#abort !== null) return 0;
    if (full && !follows) return 0;
    this.#asksNewer = true;
    const filter = this.#filter;
    try {
      const page = await this.#get({ after: this.#newer }, new AbortController());
      if (filter !== this.#filter || this.#abort !== null) return 0;
      if (follows && (full || page.events.length >= PAGE_ROWS)) await this.#back(true);
      else {
        this.#newer = page.newer;
        if (page.events.length > 0) this.rows.value = [...this.rows.peek(), ...page.events];
      }
      return page.events.length;
    } catch (error) {
      this.#fail(error, null);
      return 0;
    } finally {
      this.#asksNewer = false;
    }
  }

  /** Adds older rows; what is then too many is let go at the newer end. */
  #keep(older: EventRow[], rest: EventRow[]): void {
    const rows = [...older, ...rest];
    if (rows.length > MOST_ROWS) this.cutNewer.value = true;
    this.rows.value = rows.slice(0, MOST_ROWS);
  }

  async #get(place: { before?: string | null; after?: string }, abort: AbortController): Promise<EventPage> {
    const query = formatQuery({ ...place, limit: PAGE_ROWS });
    const address = `/runs/${encodeURIComponent(this.run)}/events${this.#filter}${this.#filter ? query.replace("?", "&") : query}`;
    const page = await get<EventPage>(address, abort.signal);
    this.#came = Date.now();
    this.failure.value = null;
    return page;
  }

  #fail(error: unknown, abort: AbortController | null): void {
    if (abort?.signal.aborted) return;
    if (!(error instanceof Refused)) throw error;
    this.failure.value = { error, since: this.#came };
  }
}
