// One stream of server-sent events: it says when it is lost, and is closed while the page is hidden.
import { type ReadonlySignal, signal } from "@preact/signals";

/** How long the server may be silent: it sends a `ping` every two seconds. */
const SILENCE_MS = 5_000;
/** How long until a stream that gives nothing is opened anew. */
const REOPEN_MS = 10_000;

export interface Stream {
  /** Since when nothing came, as a time of day in milliseconds; `null` while connected. */
  lost: ReadonlySignal<number | null>;
  close(): void;
}

interface Listener {
  /** Where to listen; asked anew each time that the stream is opened. */
  address(): string;
  /** What to do with each kind of event; the data is JSON. */
  on: Record<string, (data: unknown) => void>;
  /** Events after which nothing more will come. */
  last: string[];
}

export function open({ address, on, last }: Listener): Stream {
  const lost = signal<number | null>(null);
  let source: EventSource | null = null;
  let heard = Date.now();
  let opened = heard;
  let over = false;

  const hear = () => {
    heard = Date.now();
    lost.value = null;
  };
  const shut = () => {
    source?.close();
    source = null;
  };
  const start = () => {
    shut();
    if (over || document.hidden) return;
    opened = Date.now();
    source = new EventSource(address());
    source.addEventListener("open", hear);
    source.addEventListener("ping", hear);
    for (const [name, act] of Object.entries(on)) {
      source.addEventListener(name, (event) => {
        hear();
        if (last.includes(name)) finish();
        act(parsed((event as MessageEvent<string>).data));
      });
    }
  };
  const watch = () => {
    if (document.hidden) return;
    const now = Date.now();
    if (now - heard < SILENCE_MS) return;
    lost.value = heard;
    const closed = source === null || source.readyState === EventSource.CLOSED;
    if (now - opened > (closed ? SILENCE_MS : REOPEN_MS)) start();
  };
  const shown = () => {
    if (document.hidden) return shut();
    heard = Date.now();
    start();
  };
  const timer = setInterval(watch, 1_000);
  document.addEventListener("visibilitychange", shown);
  const finish = () => {
    over = true;
    shut();
    clearInterval(timer);
    document.removeEventListener("visibilitychange", shown);
    lost.value = null;
  };
  start();
  return { lost, close: finish };
}

function parsed(data: string): unknown {
  try {
    return data === "" ? null : JSON.parse(data);
  } catch {
    return null;
  }
}
