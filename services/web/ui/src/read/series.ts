import type { Stack } from "./question.ts";

/** Counts of several cameras put together for a chart and a table. Pure. */
type ByClass = Record<string, number>;
export interface BucketCounts { start: string; coverage: number | null; forward: ByClass; backward: ByClass; compliance: Compliance }
export interface Compliance { rate: number | null; counted: number }
export interface LineAnswer { line: string; name: string; coverage: number | null; buckets: readonly BucketCounts[]; forward_name?: string | null; backward_name?: string | null }
export interface Answer { camera: string; to: string; coverage: number | null; buckets: readonly BucketCounts[]; lines: readonly LineAnswer[] }

/** One part of the bars: a class, a direction, or a line. */
export interface Series { key: string; values: readonly number[]; total: number }

export interface Table {
  /** Milliseconds since 1970 at which the buckets begin, and the end of the last. */
  starts: readonly number[];
  endMs: number;
  /** Analysed share of each bucket: of several cameras with lines the least; null: it has not begun, or no camera was there. */
  coverage: readonly (number | null)[];
  wholeCoverage: number | null;
  series: readonly Series[];
  totals: readonly number[];
  total: number;
  /** Mask wearing by bucket; null: nobody was counted, or not all states are. */
  compliance: readonly Compliance[];
  wholeCompliance: Compliance;
}

const sum = (values: Iterable<number>): number => [...values].reduce((all, value) => all + value, 0);

/** The least of what is known; null where nothing is. */
export function leastCoverage(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? Math.min(...known) : null;
}

/** Counts by key of one bucket. */
function parts(answer: Answer, index: number, stack: Stack): [string, number][] {
  if (stack === "line") {
    return answer.lines.map((line) => {
      const bucket = line.buckets[index];
      return [`${answer.camera}/${line.line}`, bucket ? sum(Object.values(bucket.forward)) + sum(Object.values(bucket.backward)) : 0];
    });
  }
  const bucket = answer.buckets[index];
  if (!bucket) return [];
  if (stack === "direction") return [["forward", sum(Object.values(bucket.forward))], ["backward", sum(Object.values(bucket.backward))]];
  return [...Object.entries(bucket.forward), ...Object.entries(bucket.backward)];
}

/** Joins shares of people: weighted by how many were counted. */
export function joinedCompliance(all: readonly Compliance[]): Compliance {
  const counted = sum(all.map((one) => one.counted));
  if (counted === 0 || all.some((one) => one.counted > 0 && one.rate === null)) return { rate: null, counted };
  return { rate: sum(all.map((one) => (one.rate ?? 0) * one.counted)) / counted, counted };
}

/** The cameras that the sum is made of: one without a line counts nothing, so that its gaps are none of the sum. */
function counting(answers: readonly Answer[]): readonly Answer[] {
  const found = answers.filter((answer) => answer.lines.length > 0);
  return found.length > 0 ? found : answers;
}

/** Puts the answers of some cameras together; they are of the same span, interval and zone. */
export function tableOf(answers: readonly Answer[], stack: Stack): Table {
  const first = answers[0];
  const starts = first ? first.buckets.map((bucket) => Date.parse(bucket.start)) : [];
  const byKey = new Map<string, number[]>();
  if (stack === "direction") for (const key of ["forward", "backward"]) byKey.set(key, starts.map(() => 0));
  for (const answer of answers) {
    starts.forEach((_, index) => {
      for (const [key, count] of parts(answer, index, stack)) {
        let values = byKey.get(key);
        if (!values) byKey.set(key, values = starts.map(() => 0));
        values[index] = (values[index] ?? 0) + count;
      }
    });
  }
  const series = [...byKey].map(([key, values]) => ({ key, values, total: sum(values) }));
  if (stack === "class") series.sort((a, b) => b.total - a.total || a.key.localeCompare(b.key));
  const totals = starts.map((_, index) => sum(series.map((one) => one.values[index] ?? 0)));
  const compliance = starts.map((_, index) => joinedCompliance(answers.flatMap((answer) => answer.buckets[index]?.compliance ?? [])));
  return {
    starts, series, totals, compliance,
    endMs: first ? Date.parse(first.to) : 0,
    coverage: starts.map((_, index) => leastCoverage(counting(answers).map((answer) => answer.buckets[index]?.coverage ?? null))),
    wholeCoverage: leastCoverage(counting(answers).map((answer) => answer.coverage)),
    total: sum(totals),
    wholeCompliance: joinedCompliance(compliance),
  };
}

/** Says whether a time without coverage is still to come; else no camera was analysed in it yet. */
export const isToCome = (startMs: number | undefined, nowMs: number): boolean => startMs !== undefined && startMs > nowMs;

/** What stands beside each of so many buckets; null where no camera was there to count. */
export const besides = (other: Table, count: number): (number | null)[] =>
  Array.from({ length: count }, (_, index) => {
    const total = other.totals[index] ?? null;
    return total === 0 && other.coverage[index] === null ? null : total;
  });

/** How a total differs from another: by so many, and by what share of the other; null where that was none. */
export function differenceOf(total: number, other: number): { by: number; share: number | null } {
  return { by: total - other, share: other === 0 ? null : (total - other) / other };
}
