// A dialog: the browser's own, which keeps the focus inside and closes with Escape.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { CROSS, Shape } from "./shape";

interface Props {
  title: string;
  close: () => void;
  children: ComponentChildren;
  /** Wider, for what has lines of code. */
  wide?: boolean;
}

export function Dialog({ title, close, children, wide }: Props) {
  const place = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    place.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it, which the browser sees to.
    <dialog
      ref={place}
      class={wide ? "wide" : ""}
      aria-labelledby={id}
      onClose={close}
      // A click beside the dialog is one on the element itself, as its content covers the rest.
      onClick={(event) => event.target === place.current && close()}
    >
      <div class="inside">
        <header>
          <h2 id={id}>{title}</h2>
          <button type="button" class="icon" aria-label="Close" onClick={close}>
            <Shape path={CROSS} />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
