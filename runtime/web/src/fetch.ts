// Questions to the data API. A question that fails leaves the answer before it in place, with a mark.
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { Refusal } from "./types";

export const API = "/api/v1";

/** A request that was not answered: what is wrong, and what to do. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    error: string,
    readonly help: string | null,
  ) {
    super(error);
  }
}

interface First {
  path: string;
  /** Whether nothing may be begun or cancelled from this page. */
  read_only?: boolean;
  answers: Record<string, unknown>;
}

function firstState(): First {
  const none = { path: "", answers: {} };
  if (typeof document === "undefined") return none;
  try {
    const state = JSON.parse(document.getElementById("state")?.textContent ?? "") as First;
    return state.answers ? state : none;
  } catch {
    return none;
  }
}

const came = firstState();

/** Whether this page only shows runs. */
export const readOnly = came.read_only === true;

/** The answers that came with the page, each used once: later ones would be old. */
const first: Map<string, unknown> = new Map(Object.entries(came.answers));

function takeFirst<T>(address: string): T | undefined {
  const answer = first.get(address) as T | undefined;
  first.delete(address);
  return answer;
}

/** Asks for what is at an address, without `/api/v1`. */
export function get<T>(address: string, abort?: AbortSignal): Promise<T> {
  return ask<T>(address, { signal: abort ?? null });
}

/** Asks for something to be done. */
export function post<T>(address: string, body: unknown): Promise<T> {
  return ask<T>(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Fanfold": "1" },
    body: JSON.stringify(body),
  });
}

async function ask<T>(address: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(API + address, {
      ...init,
      headers: { Accept: "application/json", ...init.headers },
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refused(
      0,
      "the server does not answer",
      "Is `fanfold ui` still running? Start it again: this page goes on where it is.",
    );
  }
  const text = await response.text();
  if (!response.ok) throw refusal(response.status, text);
  return JSON.parse(text) as T;
}

function refusal(status: number, text: string): Refused {
  try {
    const said = JSON.parse(text) as Refusal;
    return new Refused(status, said.error, said.help ?? null);
  } catch {
    return new Refused(status, `the server answered ${status}`, text.trim().slice(0, 200) || null);
  }
}

/** A request that failed, and since when what is shown is old. */
export interface Failure {
  error: Refused;
  since: number;
}

/** An answer that is kept while it is asked for anew. */
export class Answer<T> {
  readonly data = signal<T | null>(null);
  readonly failure = signal<Failure | null>(null);
  readonly loading = signal(false);
  #address: string | null = null;
  #abort: AbortController | null = null;
  #came = Date.now();

  /** Asks for an address; what is asked for at the same time is given up. */
  async load(address: string): Promise<void> {
    this.#abort?.abort();
    this.#address = address;
    const at_once = takeFirst<T>(API + address);
    if (at_once !== undefined) return this.#set(at_once);
    const abort = new AbortController();
    this.#abort = abort;
    this.loading.value = true;
    try {
      const answer = await get<T>(address, abort.signal);
      if (!abort.signal.aborted) this.#set(answer);
    } catch (error) {
      if (!abort.signal.aborted && error instanceof Refused)
        this.failure.value = { error, since: this.#came };
      else if (!abort.signal.aborted) throw error;
    } finally {
      if (this.#abort === abort) this.loading.value = false;
    }
  }

  /** Asks again for the same. */
  again(): Promise<void> {
    return this.#address === null ? Promise.resolve() : this.load(this.#address);
  }

  stop(): void {
    this.#abort?.abort();
  }

  #set(answer: T): void {
    this.#came = Date.now();
    this.data.value = answer;
    this.failure.value = null;
    this.loading.value = false;
  }
}

/** The answer at an address; when the address changes, the answer before it stays until the new one is there. */
export function useAnswer<T>(address: string | null): Answer<T> {
  const [answer] = useState(() => {
    const made = new Answer<T>();
    // What came with the page is there before the first drawing.
    if (address !== null) void made.load(address);
    return { made, loaded: address };
  });
  useEffect(() => {
    if (address !== null && answer.loaded !== address) void answer.made.load(address);
    answer.loaded = address;
  }, [address]);
  useEffect(() => () => answer.made.stop(), []);
  return answer.made;
}
