// Wheel and pointer on a picture, as the timeline understands them.

/** What can be zoomed and moved. */
interface Movable {
  zoom(factor: number, x: number): void;
  pan(dx: number): void;
}

/** Zooms with ctrl, or where `always`; moves sideways; a plain wheel scrolls the page. */
export function wheelOn(canvas: HTMLCanvasElement, view: Movable, always: boolean): () => void {
  const act = (event: WheelEvent) => {
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    const zooms = event.ctrlKey || event.metaKey || (always && !event.shiftKey);
    if (zooms && event.deltaY !== 0) {
      event.preventDefault();
      const by = Math.min(Math.max(event.deltaY * (event.deltaMode === 1 ? 20 : 1), -240), 240);
      view.zoom(1.0035 ** by, event.clientX - canvas.getBoundingClientRect().left);
    } else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
      event.preventDefault();
      view.pan(sideways);
    }
  };
  canvas.addEventListener("wheel", act, { passive: false });
  return () => canvas.removeEventListener("wheel", act);
}

/** What a pointer may do; places are pixels of the canvas. */
interface Hands {
  /** Dragged over from `a` to `b` so far. */
  move(a: number, b: number): void;
  end(a: number, b: number): void;
  cancel(): void;
  /** Dragged by a finger: it moves the picture. */
  pan?(dx: number): void;
  click?(x: number, y: number): void;
  double?(x: number, y: number): void;
  hover?(x: number, y: number): void;
  leave?(): void;
}

const DRAG_PX = 4;

export function dragOn(canvas: HTMLCanvasElement, hands: Hands): () => void {
  let from: { x: number; y: number; finger: boolean } | null = null;
  let moved = false;
  let last = 0;
  const place = (event: MouseEvent) => {
    const box = canvas.getBoundingClientRect();
    return { x: Math.min(Math.max(event.clientX - box.left, 0), box.width), y: event.clientY - box.top };
  };
  const listeners: { [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void } = {
    pointerdown: (event) => {
      if (event.button !== 0 || event.ctrlKey) return;
      from = { ...place(event), finger: event.pointerType === "touch" };
      last = from.x;
      moved = false;
      canvas.setPointerCapture(event.pointerId);
    },
    pointermove: (event) => {
      const { x, y } = place(event);
      if (from === null) return hands.hover?.(x, y);
      if (!moved && Math.abs(x - from.x) < DRAG_PX) return;
      moved = true;
      hands.leave?.();
      if (from.finger && hands.pan) hands.pan(last - x);
      else hands.move(from.x, x);
      last = x;
    },
    pointerup: (event) => {
      const start = from;
      from = null;
      if (start === null) return;
      const { x, y } = place(event);
      if (!moved) hands.click?.(x, y);
      else if (!start.finger || !hands.pan) hands.end(start.x, x);
    },
    pointercancel: () => {
      from = null;
      hands.cancel();
    },
    pointerleave: () => hands.leave?.(),
    dblclick: (event) => {
      const { x, y } = place(event);
      hands.double?.(x, y);
    },
  };
  for (const [name, act] of Object.entries(listeners)) canvas.addEventListener(name, act as EventListener);
  return () => {
    for (const [name, act] of Object.entries(listeners))
      canvas.removeEventListener(name, act as EventListener);
  };
}
