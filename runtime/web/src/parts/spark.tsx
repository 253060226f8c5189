// A small drawing of how much happened over time, as bars of one colour.

export function Spark({ values, says }: { values: number[]; says: string }) {
  const most = Math.max(1, ...values);
  const width = 60 / values.length;
  const bars = values
    .map((value, at) => [at * width, (value / most) * 16] as const)
    .filter(([, height]) => height > 0)
    .map(
      ([x, height]) =>
        `M${x.toFixed(1)} 17v${-Math.max(1, height).toFixed(1)}h${Math.max(1, width - 0.2).toFixed(1)}V17z`,
    );
  return (
    <svg class="spark" viewBox="0 0 60 18" role="img" aria-label={says}>
      <path d={bars.join("")} />
    </svg>
  );
}
