// The parts that the first screen does without: they come in a second script, which is asked for as soon as
// the first has run.
import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { Refused } from "./fetch";
import { RefusedMark } from "./parts/refused";

type More = typeof import("./more");

const more = signal<More | null>(null);
const failed = signal(false);

export async function loadMore(): Promise<void> {
  try {
    more.value = await import("./more");
  } catch {
    failed.value = true;
  }
}

const GONE = new Refused(
  0,
  "a part of this page could not be loaded",
  "Load the page anew once `fanfold ui` runs again.",
);

/** A component of the second script: nothing is drawn until it is there. */
export function later<P extends object>(which: (more: More) => ComponentType<P>): ComponentType<P> {
  return function Later(props: P) {
    if (more.value === null) return failed.value ? <RefusedMark error={GONE} /> : null;
    const Part = which(more.value) as ComponentType<object>;
    return <Part {...props} />;
  };
}
