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

/** A run's page from its first answer to its end. */
export class OpenRun {
  readonly answer = new Answer<RunDetail>();
  /** Whether the run is not there any more. */
  readonly gone = signal(false);
  readonly #stream = signal<Stream | null>(null);
  readonly #seconds = signal(0);
  #heard = 0;
  readonly state: RunState;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(readonly id: string) {
    const detail = this.answer.data as ReadonlySignal<RunDetail>;
    this.state = {
      id,
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
    await this.answer.load(`/runs/${encodeURIComponent(this.id)}`);
    this.#heard = performance.now();
    this.#tick();
    this.#listen();
  }

  close(): void {
    clearInterval(this.#timer);
    document.removeEventListener("visibilitychange", this.#shown);
    this.#hangUp();
    this.answer.stop();
  }

  #listen(): void {
    const detail = this.answer.data.peek();
    if (detail === null || ended(detail.run.state) || this.#stream.peek() !== null) return;
    this.#stream.value = open({
      address: () =>
        `${API}/runs/${encodeURIComponent(this.id)}/live?after=${this.answer.data.peek()?.seq ?? 0}`,
      on: {
        state: (live) => this.#hear(live as Live | null),
        end: () => this.#end(),
        gone: () => {
          this.gone.value = true;
          this.#hangUp();
        },
      },
      last: ["end", "gone"],
    });
  }

  #hear(live: Live | null): void {
    const detail = this.answer.data.peek();
    if (live === null || detail === null) return;
    this.#heard = performance.now();
    this.answer.data.value = merge(detail, live);
    this.#tick();
  }

  /** What only a whole answer has, as the slowest steps, is asked for once more. */
  #end(): void {
    this.#hangUp();
    void this.load();
  }

  #hangUp(): void {
    this.#stream.peek()?.close();
    this.#stream.value = null;
  }

  readonly #shown = () => {
    // A run that had ended may have been resumed meanwhile.
    if (!document.hidden && this.#stream.peek() === null && !this.gone.peek()) void this.load();
  };

  #now(): number {
    const detail = this.answer.data.peek();
    if (detail === null) return 0;
    const known = Math.max(detail.run.took, detail.elapsed);
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
