// The heading of a column, which sorts where it can: one way, the other way, and then not any more.

interface Props {
  says: string;
  class: string;
  title?: string | undefined;
  /** What the address says for it; without it, it is not sorted by. */
  column?: string | undefined;
  /** Whether the largest comes first at the first click. */
  down?: boolean | undefined;
  /** What is sorted by now: a column, after `-` if downwards. */
  now: string | null;
  sort: (column: string | null) => void;
}

export function SortHead({ says, class: classes, title, column, down, now, sort }: Props) {
  if (column === undefined) {
    return (
      <th scope="col" class={classes}>
        {says}
      </th>
    );
  }
  const order = now === column ? "ascending" : now === `-${column}` ? "descending" : undefined;
  const turns = down ? [`-${column}`, column] : [column, `-${column}`];
  const next = turns[turns.indexOf(now ?? "") + 1] ?? null;
  return (
    <th scope="col" class={classes} aria-sort={order}>
      <button type="button" class="sort" title={title} onClick={() => sort(next)}>
        {says}
        {order !== undefined && <span aria-hidden="true">{order === "ascending" ? " ↑" : " ↓"}</span>}
      </button>
    </th>
  );
}
