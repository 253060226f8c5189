import type { RunState } from "./state";

export function StepPanel({ run }: { run: RunState }) {
  return <p class="soft">{run.selection.op.value ?? "all ops"}</p>;
}
