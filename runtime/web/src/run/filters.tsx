// The field for text that steps and events are searched by: it is in the address once typing rests.
import { signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { settled } from "./refresh";
import type { RunState } from "./state";

const TYPING_MS = 250;

export function Search({ run, label }: { run: RunState; label: string }) {
  const { q } = run.selection;
  const text = useMemo(() => signal(q.peek()), [run]);
  const rest = useMemo(
    () => settled(TYPING_MS, () => run.selection.set({ q: text.peek() || null }, "replace")),
    [run],
  );
  useEffect(() => {
    const end = q.subscribe((said) => {
      text.value = said;
    });
    return () => {
      end();
      rest.stop();
    };
  }, [run]);
  return (
    <input
      class="run-search"
      type="search"
      data-search
      placeholder="Search"
      aria-label={label}
      title={`${label} (/)`}
      value={text.value}
      onInput={(event) => {
        text.value = event.currentTarget.value;
        rest.call();
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") event.currentTarget.blur();
        // Escape leaves the field, and does not close the panel too.
        if (event.key === "Escape") event.stopPropagation();
      }}
    />
  );
}
