// `j` and `k`: the focus goes from row to row, by the link or button that each row has.
import type { Binding } from "../keys";

function step(by: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>("main [data-row]")];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const next = at === -1 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by));
  rows[next]?.focus();
}

export const ROW_KEYS: Binding[] = [
  { keys: "j", says: "next row", act: () => step(1) },
  { keys: "k", says: "row before", act: () => step(-1) },
  { keys: "ArrowDown", act: () => step(1) },
  { keys: "ArrowUp", act: () => step(-1) },
];
