/** Which buckets may have words below them, and which words; they are thinned out where they would touch. */
export interface Axis { at: readonly number[]; labels: readonly string[] }

/** Bars by bucket, stacked, with what was not analysed hatched behind them; and the share of people who comply. Pure. */
export interface Bars {
  axis: Axis;
  coverage: readonly (number | null)[];
  series: readonly { label: string; color: string; values: readonly number[] }[];
  /** Totals of another span or line, drawn as steps over the bars. */
  other: { label: string; values: readonly (number | null)[] } | null;
}

export interface Shares { axis: Axis; coverage: readonly (number | null)[]; values: readonly (number | null)[]; label: string }

/** Above this a bucket counts as whole: a reconnect of some seconds is no gap to look at. */
export const WHOLE = 0.99;

/** The share of a bucket that was missed; what has not begun has missed nothing. */
export const missedOf = (coverage: number | null): number => (coverage === null || coverage >= WHOLE ? 0 : 1 - coverage);

/** Every n-th of some places, so that the words at them do not touch. */
export function thinned(at: readonly number[], widthPx: number, labelPx: number): number[] {
  const every = Math.max(1, Math.ceil((at.length * labelPx) / Math.max(1, widthPx)));
  return at.filter((_, index) => index % every === 0);
}

/** Sums from the first series up, so that each bar covers the lower part of the one before it. */
export function stacked(series: readonly { values: readonly number[] }[]): number[][] {
  let below: readonly number[] = series[0]?.values.map(() => 0) ?? [];
  return series.map(({ values }) => {
    const top = values.map((value, index) => value + (below[index] ?? 0));
    below = top;
    return top;
  });
}
