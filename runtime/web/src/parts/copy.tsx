// A button that copies a text, and says that it did.
import { useSignal } from "@preact/signals";
import { Shape, TICK } from "./shape";

const SAID_MS = 1_500;

/** Copies by the clipboard where the browser gives it to this page, else by a selection. */
export async function copy(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

export function Copy({ text, what }: { text: string; what: string }) {
  const done = useSignal(false);
  const act = async () => {
    await copy(text);
    done.value = true;
    setTimeout(() => {
      done.value = false;
    }, SAID_MS);
  };
  return (
    <button
      type="button"
      class={done.value ? "icon copy is-done" : "icon copy"}
      aria-label={done.value ? "Copied" : `Copy ${what}`}
      title={done.value ? "Copied" : `Copy ${what}`}
      onClick={() => void act()}
    >
      <Shape path={done.value ? TICK : "M5.5 5.5h7v7h-7zM10.5 5V3.5h-7v7H5"} />
    </button>
  );
}

/** A command line, to be copied. */
export function Command({ text, says }: { text: string; says?: string }) {
  return (
    <div class="command">
      {says !== undefined && <span class="soft">{says}</span>}
      <code>{text}</code>
      <Copy text={text} what="the command" />
    </div>
  );
}
