// What a run's page knows: the run, merged with what is told live, what of it is looked at, and the time.
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { Answer, API } from "../fetch";
import { open, type Stream } from "../live";
import type { Live, RunDetail } from "../types";
import { ended, merge } from "./merge";
import { makeSelection, type Selection } from "./selection";

export interface RunState {
  /** The run's id, as the address has it. */
  readonly id: string;
  /** Where the data API has it: `/runs/7k2m`. */
  readonly address: string;
  readonly detail: ReadonlySignal<RunDetail>;
  readonly selection: Selection;
  /** The last commit that is known of: what is asked for by `seq` is asked for again when it rises. */
  readonly lastSeq: ReadonlySignal<number>;
  readonly connection: ReadonlySignal<Connection>;
  /** Seconds since the run began, which go on with the run: now, and each second, for what is drawn. */
  now(): number;
  readonly clock: ReadonlySignal<number>;
  /** Asks for the run anew: after something that this page began. */
  reload(): void;
}

export interface Connection {
  /** Whether the run goes on and is listened to. */
  live: boolean;
  /** Since when nothing was heard, as a time of day in milliseconds. */
  lost: number | null;
}

/** How often a run that has ended is looked at again while the store changes: it may be resumed or removed. */
const LOOK_AGAIN_MS = 2_000;

/** A run's page from its first answer to its end. */
export class OpenRun {
  readonly answer = new Answer<RunDetail>();
  /** Whether the run is not there any more. */
  readonly gone = signal(false);
  readonly #stream = signal<Stream | null>(null);
  readonly #seconds = signal(0);
  /** The stream of a run that has ended: that of the whole store. */
  #others: Stream | null = null;
  #again: ReturnType<typeof setTimeout> | undefined;
  /** When the time that is known was told. */
  #heard = 0;
  readonly state: RunState;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(id: string) {
    const detail = this.answer.data as ReadonlySignal<RunDetail>;
    this.state = {
      id,
      address: `/runs/${encodeURIComponent(id)}`,
      detail,
      selection: makeSelection(id),
      lastSeq: computed(() => detail.value.seq),
      connection: computed(() => ({
        live: this.#stream.value !== null,
        lost: this.#stream.value?.lost.value ?? null,
      })),
      clock: this.#seconds,
      now: () => this.#now(),
      reload: () => void this.load(),
    };
    this.#timer = setInterval(() => this.#tick(), 1_000);
    document.addEventListener("visibilitychange", this.#shown);
    void this.load();
  }

  /** Asks for the run, and listens to it if it goes on. */
  async load(): Promise<void> {
    const before = this.answer.data.peek();
    await this.answer.load(this.state.address);
    if (before !== null && this.answer.failure.peek()?.error.status === 404) {
      this.#leave();
      return;
    }
    this.#heard = performance.now();
    this.#tick();
    this.#listen();
  }

  close(): void {
    clearInterval(this.#timer);
    document.removeEventListener("visibilitychange", this.#shown);
    this.#hangUp();
    this.answer.stop();
    clearTimeout(this.#again);
  }

  #listen(): void {
    const detail = this.answer.data.peek();
    if (detail === null) return;
    if (this.#stream.peek() !== null) return;
    if (ended(detail.run.state)) {
      this.#listenToOthers();
      return;
    }
    this.#hangUp();
    this.#stream.value = open({
      address: () => `${API}${this.state.address}/live?after=${this.answer.data.peek()?.seq ?? 0}`,
      on: {
        state: (live) => this.#hear(live as Live | null),
        end: () => this.#end(),
        gone: () => this.#leave(),
      },
      last: ["end", "gone"],
    });
  }

  #listenToOthers(): void {
    if (this.#others !== null) return;
    const changed = () => {
      this.#again ??= setTimeout(() => {
        this.#again = undefined;
        void this.load();
      }, LOOK_AGAIN_MS);
    };
    this.#others = open({ address: () => `${API}/live`, on: { changed }, last: [] });
  }

  #hear(live: Live | null): void {
    const detail = this.answer.data.peek();
    if (live === null || detail === null) return;
    // A run that was resumed counts only its time at work: that of its last event.
    if (detail.sessions === 1 || live.elapsed !== detail.elapsed) this.#heard = performance.now();
    this.answer.data.value = merge(detail, live);
    this.#tick();
    if (live.state === "running" && detail.run.state !== "running") void this.load();
  }

  /** What only a whole answer has, as the slowest steps, is asked for once more. */
  #end(): void {
    this.#hangUp();
    void this.load();
  }

  #leave(): void {
    this.gone.value = true;
    this.answer.failure.value = null;
    this.#hangUp();
  }

  #hangUp(): void {
    this.#stream.peek()?.close();
    this.#stream.value = null;
    this.#others?.close();
    this.#others = null;
  }

  readonly #shown = () => {
    // A run that had ended may have been resumed meanwhile.
    if (!document.hidden && this.#stream.peek() === null && !this.gone.peek()) void this.load();
  };

  #now(): number {
    const detail = this.answer.data.peek();
    if (detail === null) return 0;
    const known = detail.sessions === 1 ? Math.max(detail.run.took, detail.elapsed) : detail.elapsed;
    if (detail.run.state !== "running") return known;
    const lost = this.#stream.peek()?.lost.peek() ?? null;
    // The clock stops where the server fell silent.
    const until = lost === null ? performance.now() : lost - performance.timeOrigin;
    return known + Math.max(0, until - this.#heard) / 1_000;
  }

  #tick(): void {
    this.#seconds.value = this.#now();
  }
}
