// The time that the page shows: once a second, and only while somebody looks.
import { signal } from "@preact/signals";

/** Seconds of the browser's clock. */
export const second = signal(Date.now() / 1_000);

setInterval(() => {
  if (!document.hidden) second.value = Date.now() / 1_000;
}, 1_000);
