// The list of keys that do something on what is seen now.
import { signal } from "@preact/signals";
import { bound } from "./keys";
import { Dialog } from "./parts/dialog";

export const helpShown = signal(false);

const NAMES: Record<string, string> = {
  ArrowRight: "→",
  ArrowLeft: "←",
  ArrowUp: "↑",
  ArrowDown: "↓",
  Escape: "Esc",
};

export function HelpDialog() {
  if (!helpShown.value) return null;
  const close = () => {
    helpShown.value = false;
  };
  return (
    <Dialog title="Keys" close={close}>
      <dl class="keys">
        {bound()
          .filter((binding) => binding.says !== undefined)
          .map((binding) => (
            <div key={binding.keys}>
              <dt>
                {binding.keys.split(" ").map((key) => (
                  <kbd key={key}>{NAMES[key] ?? key}</kbd>
                ))}
              </dt>
              <dd>{binding.says}</dd>
            </div>
          ))}
      </dl>
    </Dialog>
  );
}
