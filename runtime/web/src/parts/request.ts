// Something that is to be done: what it would do, whether it is under way, and why it was refused.
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { post, Refused } from "../fetch";
import type { Begun } from "../types";

/** How long typing may pause before it is asked what would be done. */
const PAUSE_MS = 250;

interface Request<T> {
  busy: Signal<boolean>;
  refused: Signal<Refused | null>;
  send(ask: () => Promise<T>, then: (answer: T) => void): Promise<void>;
}

/** A request that is sent with a button. */
export function useRequest<T>(): Request<T> {
  const busy = useSignal(false);
  const refused = useSignal<Refused | null>(null);
  const send = async (ask: () => Promise<T>, then: (answer: T) => void) => {
    busy.value = true;
    refused.value = null;
    try {
      then(await ask());
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refused.value = error;
    } finally {
      busy.value = false;
    }
  };
  return { busy, refused, send };
}

/** What a request would do, asked as it is typed; `null` asks nothing. */
export function useDry(address: string, body: unknown): { begun: Begun | null; refused: Refused | null } {
  const begun = useSignal<Begun | null>(null);
  const refused = useSignal<Refused | null>(null);
  const asked = useSignal(false);
  const text = body === null ? null : JSON.stringify(body);
  useEffect(() => {
    let current = true;
    const ask = async (text: string) => {
      try {
        const answer = await post<Begun>(`${address}?dry=1`, JSON.parse(text));
        if (!current) return;
        begun.value = answer;
        refused.value = null;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        if (!current) return;
        begun.value = null;
        refused.value = error;
      }
    };
    if (text === null) refused.value = null;
    else setTimeout(() => current && void ask(text), asked.peek() ? PAUSE_MS : 0);
    asked.value = true;
    return () => {
      current = false;
    };
  }, [address, text]);
  return { begun: begun.value, refused: refused.value };
}
