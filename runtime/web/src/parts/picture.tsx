// A graph as the server laid it out: one node for each op, a box around each fan-out.
import type { GraphEdge, GraphView } from "../types";

const MARGIN = 8;

export function Picture({ graph, name }: { graph: GraphView; name: string }) {
  const { width, height, nodes, boxes, edges } = graph;
  const says = `${name}: ${nodes.map((node) => node.name).join(", ")}`;
  return (
    <div class="picture">
      <svg
        viewBox={`${-MARGIN} ${-MARGIN} ${width + 2 * MARGIN} ${height + 2 * MARGIN}`}
        width={width + 2 * MARGIN}
        height={height + 2 * MARGIN}
        role="img"
        aria-label={says}
      >
        {boxes.map((box) => (
          <rect key={box.scope} class="fan" x={box.x} y={box.y} width={box.w} height={box.h} rx={8} />
        ))}
        {edges.map((edge) => (
          <Edge key={`${edge.from} ${edge.to} ${edge.way}`} edge={edge} />
        ))}
        {boxes.map((box) => (
          <text key={box.scope} class="label" x={box.x + 9} y={box.y + 15}>
            {box.label}
          </text>
        ))}
        {nodes.map((node) => (
          <g key={node.node} class={`node is-${node.kind}`}>
            <rect x={node.x} y={node.y} width={node.w} height={node.h} rx={6} />
            <text x={node.x + node.w / 2} y={node.y + node.h / 2 + (node.tags.length > 0 ? -3 : 4)}>
              {node.name}
            </text>
            {node.tags.length > 0 && (
              <text class="tags" x={node.x + node.w / 2} y={node.y + node.h / 2 + 13}>
                {node.tags.join(" · ")}
              </text>
            )}
          </g>
        ))}
      </svg>
    </div>
  );
}

/** A line through points, with an arrow; what is collected is drawn double. */
function Edge({ edge }: { edge: GraphEdge }) {
  const line = `M${edge.points.map(([x, y]) => `${x} ${y}`).join("L")}`;
  const [x, y] = edge.points.at(-1) ?? [0, 0];
  return (
    <g class={`edge is-${edge.way}`}>
      <path d={line} />
      {edge.way === "collect" && <path class="within" d={line} />}
      <path class="head" d={`M${x} ${y}l-4 -7h8z`} />
    </g>
  );
}
