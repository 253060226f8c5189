// The keyboard: which keys do what on what is seen now. No single key does anything that cannot be undone.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

/** Whether the list of keys is shown. */
export const helpShown = signal(false);

export interface Binding {
  /** Keys one after the other: `j`, `g r`, `ArrowRight`. */
  keys: string;
  /** What they do, for the list of keys; without it, they are not listed. */
  says?: string;
  act: (event: KeyboardEvent) => void;
}

/** Layers of bindings, the one that was added last first. */
const layers = signal<(() => Binding[])[]>([]);
let pending = "";
let pendingAt = 0;

/** All that is bound now, without what a later layer hides. */
export function bound(): Binding[] {
  const seen = new Map<string, Binding>();
  for (const layer of layers.value) {
    for (const binding of layer()) if (!seen.has(binding.keys)) seen.set(binding.keys, binding);
  }
  return [...seen.values()];
}

/** Binds keys for as long as the component is there; those of the frame yield to all others. */
export function useKeys(bindings: Binding[], frame = false): void {
  const latest = useRef(bindings);
  latest.current = bindings;
  useEffect(() => {
    const layer = () => latest.current;
    layers.value = frame ? [...layers.peek(), layer] : [layer, ...layers.peek()];
    return () => {
      layers.value = layers.peek().filter((other) => other !== layer);
    };
  }, []);
}

/** Whether keys belong to what has the focus. */
function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button"].includes(target.type);
  return (
    target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable
  );
}

/** Whether the focused thing has a use of its own for the key. */
function wanted(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("[role=menu],[role=tablist]") && event.key.startsWith("Arrow")) return true;
  return (
    (event.key === "Enter" || event.key === " ") && target.closest("a,button,summary,label,input") !== null
  );
}

function press(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.key !== "Escape" && (typing(event.target) || wanted(event))) return;
  // A dialog has the keys for itself.
  if (document.querySelector("dialog[open]")) return;
  const both = event.timeStamp - pendingAt < 1_000 && pending !== "" ? `${pending} ${event.key}` : event.key;
  const all = bound();
  const found = all.find((one) => one.keys === both) ?? all.find((one) => one.keys === event.key);
  const begins = all.some((one) => one.keys.startsWith(`${event.key} `));
  pending = found === undefined && begins ? event.key : "";
  pendingAt = event.timeStamp;
  if (found === undefined) return;
  event.preventDefault();
  found.act(event);
}

export function listenKeys(): void {
  addEventListener("keydown", press);
}
