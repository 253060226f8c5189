// What is read aloud: at most one sentence in ten seconds, the last that there was.
import { signal } from "@preact/signals";

const EVERY_MS = 10_000;
const said = signal("");
let saidAt = Number.NEGATIVE_INFINITY;
let next: string | null = null;
let waits = false;

/** Says a sentence to those who do not see the page; what comes too soon waits, and a later one takes its place. */
export function announce(sentence: string): void {
  next = sentence;
  if (!waits) setTimeout(speak, Math.max(0, saidAt + EVERY_MS - performance.now()));
  waits = true;
}

function speak(): void {
  waits = false;
  saidAt = performance.now();
  said.value = next ?? "";
  next = null;
}

export function Announcer() {
  return (
    <p class="unseen" aria-live="polite" role="status">
      {said.value}
    </p>
  );
}
