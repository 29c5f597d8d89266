/** Bars by bucket, stacked, with what was not analysed hatched behind them; and the share of people who comply. Pure. */
export interface Bars {
  labels: readonly string[];
  coverage: readonly (number | null)[];
  series: readonly { label: string; color: string; values: readonly number[] }[];
  /** Totals of another span or line, drawn as steps over the bars. */
  other: { label: string; values: readonly (number | null)[] } | null;
}

export interface Shares { labels: readonly string[]; coverage: readonly (number | null)[]; values: readonly (number | null)[]; label: string }

/** Above this a bucket counts as whole: a reconnect of some seconds is no gap to look at. */
export const WHOLE = 0.99;

/** The share of a bucket that was missed; what has not begun has missed nothing. */
export const missedOf = (coverage: number | null): number => (coverage === null || coverage >= WHOLE ? 0 : 1 - coverage);

/** Every n-th label, so that they do not touch. */
export function shownLabels(count: number, widthPx: number, labelPx: number): number[] {
  const every = Math.max(1, Math.ceil((count * labelPx) / Math.max(1, widthPx)));
  return Array.from({ length: Math.ceil(count / every) }, (_, index) => index * every);
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
