// The border between a run and the panel of a step: it is drawn, or moved with the arrows.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

const KEY = "fanfold.panel";
const LEAST = 320;
const STEP = 24;

const width = signal(stored());

function stored(): number {
  try {
    return Number(localStorage.getItem(KEY)) || 460;
  } catch {
    return 460;
  }
}

function most(): number {
  return Math.max(LEAST, innerWidth - 420);
}

function set(to: number): void {
  width.value = Math.round(Math.min(most(), Math.max(LEAST, to)));
  try {
    localStorage.setItem(KEY, String(width.value));
  } catch {
    // Without storage the width lasts as long as the page.
  }
}

export function Resizer() {
  const now = width.value;
  useEffect(() => {
    document.documentElement.style.setProperty("--panel", `${now}px`);
  }, [now]);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a line cannot be drawn or have the focus.
    <div
      class="resizer"
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the step's panel"
      aria-valuenow={now}
      aria-valuemin={LEAST}
      aria-valuemax={most()}
      tabIndex={0}
      onKeyDown={(event) => {
        const by = event.key === "ArrowLeft" ? STEP : event.key === "ArrowRight" ? -STEP : 0;
        if (by === 0) return;
        event.preventDefault();
        set(now + by);
      }}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) set(innerWidth - event.clientX);
      }}
    />
  );
}
