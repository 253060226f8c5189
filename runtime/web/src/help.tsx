// The list of keys that do something on what is seen now.
import { bound, helpShown } from "./keys";
import { Dialog } from "./parts/dialog";

const NAMES: Record<string, string> = {
  ArrowRight: "→",
  ArrowLeft: "←",
  ArrowUp: "↑",
  ArrowDown: "↓",
  Escape: "Esc",
};

export function HelpDialog() {
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
