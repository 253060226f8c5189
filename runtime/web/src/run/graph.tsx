// The graph of a run: one node for each op, painted with how its steps stand.
import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useAnswer } from "../fetch";
import { count } from "../format";
import { useKeys } from "../keys";
import { AnswerMark } from "../parts/refused";
import type { GraphBox, GraphEdge, GraphNode, GraphView, Op } from "../types";
import { doneOf, STEP_STATES, tell } from "../words";
import { type Frame, fitted, pathOf, shorten, zoomed } from "./graph-place";
import type { RunState } from "./state";
import "./graph.css";

export function Graph({ run }: { run: RunState }) {
  const answer = useAnswer<GraphView>(`${run.address}/graph`);
  const { selection } = run;
  const graph = answer.data.value;
  if (graph === null)
    return answer.failure.value ? <AnswerMark answer={answer} /> : <p class="soft tl-none">Loading…</p>;
  if (graph.nodes.length === 0) return <p class="soft tl-none">There is no drawing of this graph.</p>;
  return (
    <GraphPicture
      graph={graph}
      ops={run.detail.value.ops}
      chosen={selection.op.value}
      choose={(op) => selection.set({ op: selection.op.peek() === op ? null : op })}
    />
  );
}

interface Props {
  graph: GraphView;
  /** How the ops stand; without a run, there is nothing to paint. */
  ops?: Op[];
  chosen?: string | null;
  choose?: (op: string) => void;
}

/** A graph that can be moved and zoomed; also that of a job. */
export function GraphPicture({ graph, ops, chosen = null, choose }: Props) {
  const area = useRef<HTMLDivElement>(null);
  const frame = useSignal<Frame | null>(null);
  const size = useSignal({ w: 0, h: 0 });
  const focused = useSignal<number | null>(null);
  const now = frame.value ?? fitted(graph, size.value);
  const zoom = (by: number) => {
    frame.value = zoomed(now, by, size.peek().w / 2, size.peek().h / 2);
  };
  useKeys([
    { keys: "+", says: "zoom in", act: () => zoom(1.25) },
    { keys: "=", act: () => zoom(1.25) },
    { keys: "-", says: "zoom out", act: () => zoom(0.8) },
    {
      keys: "0",
      says: "the whole graph",
      act: () => {
        frame.value = null;
      },
    },
  ]);
  useEffect(() => hands(area.current as HTMLElement, graph, frame, size), [graph]);
  const byNode = new Map(ops?.map((op) => [op.node, op]));
  return (
    <section class="gr" aria-label="Graph">
      <div ref={area} class="gr-area">
        <svg
          width="100%"
          height="100%"
          role="img"
          aria-label={`Graph of ${graph.nodes.length} ops; a list of them follows`}
        >
          <g transform={`translate(${now.x} ${now.y}) scale(${now.scale})`}>
            {graph.boxes.map((box) => (
              <Box key={box.scope} box={box} />
            ))}
            {graph.edges.map((edge, i) => (
              <Edge key={i} edge={edge} />
            ))}
            {graph.boxes.map((box) => (
              <Label key={box.scope} box={box} />
            ))}
            {graph.nodes.map((node) => (
              <Node
                key={node.node}
                node={node}
                op={byNode.get(node.node)}
                chosen={chosen === node.name}
                focused={focused.value === node.node}
                choose={choose}
              />
            ))}
          </g>
        </svg>
        <ul class="unseen">
          {graph.nodes.map((node) => (
            <li key={node.node}>
              <button
                type="button"
                aria-pressed={choose ? chosen === node.name : undefined}
                onFocus={() => {
                  focused.value = node.node;
                }}
                onBlur={() => {
                  focused.value = null;
                }}
                onClick={() => choose?.(node.name)}
              >
                {sentence(graph, node, byNode.get(node.node))}
              </button>
            </li>
          ))}
        </ul>
        <span class="zooms">
          <button type="button" aria-label="Zoom out" title="Zoom out (-)" onClick={() => zoom(0.8)}>
            −
          </button>
          <button type="button" aria-label="Zoom in" title="Zoom in (+)" onClick={() => zoom(1.25)}>
            +
          </button>
          <button
            type="button"
            title="The whole graph (0)"
            onClick={() => {
              frame.value = null;
            }}
          >
            Fit
          </button>
        </span>
      </div>
    </section>
  );
}

/** A node in words: what it is, what it comes after, and how it stands. */
function sentence(graph: GraphView, node: GraphNode, op: Op | undefined): string {
  const name = (id: number) => graph.nodes.find((one) => one.node === id)?.name ?? "";
  const before = graph.edges
    .filter((edge) => edge.to === node.node)
    .map((edge) => name(edge.from) + (edge.way === "collect" ? " (collected)" : ""));
  const after = before.length > 0 ? `, after ${before.join(", ")}` : "";
  const tags = node.tags.length > 0 ? `, ${node.tags.join(", ")}` : "";
  return `${node.name}, ${node.kind}${after}${tags}${op ? `: ${tell(op.counts)}` : ""}`;
}

function Box({ box }: { box: GraphBox }) {
  const even = box.depth % 2 === 0 ? "gr-box is-even" : "gr-box";
  return <rect class={even} x={box.x} y={box.y} width={box.w} height={box.h} rx={10} />;
}

/** What a box is, over the lines that go into it. */
function Label({ box }: { box: GraphBox }) {
  return (
    <text class="gr-label" x={box.x + 12} y={box.y + 17}>
      {shorten(box.label, (box.w - 20) / 6)}
      <title>{box.label}</title>
    </text>
  );
}

function Edge({ edge }: { edge: GraphEdge }) {
  const path = pathOf(edge.points as [number, number][]);
  return (
    <g class={`gr-edge is-${edge.way}`}>
      <path d={path.line} />
      {edge.way === "collect" && <path d={path.line} class="gr-inner" />}
      <path d={path.head} class="gr-head" />
    </g>
  );
}

interface NodeProps {
  node: GraphNode;
  op: Op | undefined;
  chosen: boolean;
  focused: boolean;
  choose: ((op: string) => void) | undefined;
}

function Node({ node, op, chosen, focused, choose }: NodeProps) {
  const { x, y, w, h } = node;
  const classes = `gr-node ${chosen ? "is-chosen" : ""} ${focused ? "is-focused" : ""} ${choose ? "can-choose" : ""}`;
  const tags = node.tags.join(" · ");
  const said = op ? progress(op, (w - 24) / 11) : null;
  // Without a bar below it, the name stands in the middle.
  const line = op ? 19 : h / 2 + (tags === "" ? 4 : -3);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the list beside it has the buttons.
    <g class={classes} transform={`translate(${x} ${y})`} onClick={() => choose?.(node.name)}>
      <title>{`${node.name}${tags && `: ${tags}`}${op ? `\n${tell(op.counts)}` : ""}`}</title>
      <rect class="gr-card" width={w} height={h} rx={7} />
      <text class="gr-name" x={12} y={line}>
        {shorten(node.name, (w - 24) / 7.4)}
      </text>
      {tags !== "" && (
        <text class="gr-tags" x={12} y={line + 14}>
          {shorten(tags, (w - 24) / 5.6)}
        </text>
      )}
      {said !== null && (
        <text class="gr-count" x={w - 12} y={h - 6.5}>
          {said}
        </text>
      )}
      {op && <Bar op={op} x={12} y={h - 13} w={w - 30 - (said?.length ?? 0) * 6} />}
    </g>
  );
}

/** How far an op is, in at most so many characters. */
function progress(op: Op, most: number): string {
  const done = doneOf(op.counts);
  const whole = `${count(done)} / ${op.growing ? "≥" : ""}${count(op.known)}`;
  if (whole.length <= most) return whole;
  return done === op.known ? count(done) : `${Math.floor((done / Math.max(op.known, 1)) * 100)} %`;
}

/** The seven states as one bar. */
function Bar({ op, x, y, w }: { op: Op; x: number; y: number; w: number }) {
  const whole = Math.max(op.known, 1);
  let at = x;
  const parts = STEP_STATES.filter((state) => state !== "waiting" && op.counts[state] > 0).map((state) => {
    const wide = Math.max((op.counts[state] / whole) * w, 2);
    const part = (
      <rect
        key={state}
        class={`gr-part is-${state}`}
        x={at}
        y={y}
        width={Math.min(wide, x + w - at)}
        height={6}
      />
    );
    at = Math.min(at + wide, x + w - 2);
    return part;
  });
  return (
    <g>
      <rect class="gr-empty" x={x} y={y} width={w} height={6} rx={2} />
      {parts}
    </g>
  );
}

/** Drags, zooms with ctrl and the wheel, and keeps the size. */
function hands(
  area: HTMLElement,
  graph: GraphView,
  frame: Signal<Frame | null>,
  size: Signal<{ w: number; h: number }>,
): () => void {
  let from: { x: number; y: number; frame: Frame } | null = null;
  let moved = false;
  const now = () => frame.peek() ?? fitted(graph, size.peek());
  const observer = new ResizeObserver(() => {
    size.value = { w: area.clientWidth, h: area.clientHeight };
  });
  const listeners: { [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void } = {
    pointerdown: (event) => {
      moved = false;
      if (event.button === 0 && !(event.target as Element).closest("button"))
        from = { x: event.clientX, y: event.clientY, frame: now() };
    },
    pointermove: (event) => {
      if (from === null) return;
      const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
      if (!moved && Math.hypot(dx, dy) < 4) return;
      moved = true;
      area.setPointerCapture(event.pointerId);
      frame.value = { ...from.frame, x: from.frame.x + dx, y: from.frame.y + dy };
    },
    pointerup: () => {
      from = null;
    },
    pointercancel: () => {
      from = null;
    },
    wheel: (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const box = area.getBoundingClientRect();
      frame.value = zoomed(now(), 0.9965 ** event.deltaY, event.clientX - box.left, event.clientY - box.top);
    },
  };
  // A drag is no click on the node that it began at.
  const click = (event: MouseEvent) => moved && event.stopPropagation();
  observer.observe(area);
  for (const [name, act] of Object.entries(listeners))
    area.addEventListener(name, act as EventListener, { passive: false });
  area.addEventListener("click", click, true);
  return () => {
    observer.disconnect();
    for (const [name, act] of Object.entries(listeners)) area.removeEventListener(name, act as EventListener);
    area.removeEventListener("click", click, true);
  };
}
