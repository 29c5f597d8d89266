import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { missedOf, thinned, stacked } from "./bars.ts";
import type { Axis, Bars, Shares } from "./bars.ts";
import { percent } from "../strings/formats.svelte.ts";
import { cssColor } from "./colors.ts";

/** Charts on a canvas; all of uPlot is in here, and is fetched when the first chart is drawn. */

const LEAST_TOP = 4;
/** Steps of the scale of counts: there is no half a crossing. */
const WHOLE_STEPS = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();
const BAR_SHARE = 0.78;
const WIDEST_BAR_PX = 46;
const FONT = "12px system-ui, sans-serif";

function hatch(context: CanvasRenderingContext2D, color: string): CanvasPattern | string {
  const step = Math.round(6 * devicePixelRatio);
  const tile = document.createElement("canvas");
  tile.width = tile.height = step;
  const pen = tile.getContext("2d");
  if (!pen) return color;
  pen.strokeStyle = color;
  pen.lineWidth = 1.5 * devicePixelRatio;
  for (const shift of [-step, 0, step]) {
    pen.beginPath();
    pen.moveTo(shift, step);
    pen.lineTo(shift + step, 0);
    pen.stroke();
  }
  return context.createPattern(tile, "repeat") ?? color;
}

/** Behind the bars: a missing hour must not look like a quiet one. */
function drawMissed(plot: uPlot, coverage: readonly (number | null)[]): void {
  const { ctx, bbox } = plot;
  const [ground, lines] = [cssColor("gap-ground"), hatch(ctx, cssColor("gap"))];
  ctx.save();
  coverage.forEach((share, index) => {
    const missed = missedOf(share);
    if (missed === 0) return;
    const left = plot.valToPos(index - 0.5, "x", true);
    const width = plot.valToPos(index + 0.5, "x", true) - left;
    ctx.globalAlpha = 0.3 + 0.7 * missed;
    for (const fill of [ground, lines]) {
      ctx.fillStyle = fill;
      ctx.fillRect(left, bbox.top, width, bbox.height);
    }
  });
  ctx.restore();
}

/** Plain rectangles: uPlot's own bars are paths, which take seconds for a month of hours of 20 lines. */
function drawStack(plot: uPlot, series: Bars["series"], tops: readonly (readonly number[])[]): void {
  const { ctx } = plot;
  const step = plot.valToPos(1, "x", true) - plot.valToPos(0, "x", true);
  const width = Math.max(devicePixelRatio, Math.min(step * BAR_SHARE, WIDEST_BAR_PX * devicePixelRatio));
  const left = plot.valToPos(0, "x", true) - width / 2;
  const bottom = plot.valToPos(0, "y", true);
  const perCount = bottom - plot.valToPos(1, "y", true);
  ctx.save();
  series.forEach(({ color, values }, part) => {
    ctx.fillStyle = color;
    values.forEach((value, index) => {
      if (value > 0) ctx.fillRect(left + index * step, bottom - (tops[part]?.[index] ?? 0) * perCount, width, value * perCount);
    });
  });
  ctx.restore();
}

/** Over the bars: a step across each bucket, broken where nothing is known. */
function drawSteps(plot: uPlot, values: readonly (number | null)[]): void {
  const { ctx } = plot;
  ctx.save();
  ctx.strokeStyle = cssColor("ink");
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  values.forEach((value, index) => {
    if (value === null) return;
    const y = plot.valToPos(value, "y", true);
    const left = plot.valToPos(index - 0.5, "x", true);
    if (index > 0 && (values[index - 1] ?? null) !== null) ctx.lineTo(left, y);
    else ctx.moveTo(left, y);
    ctx.lineTo(plot.valToPos(index + 0.5, "x", true), y);
  });
  ctx.stroke();
  ctx.restore();
}

function frame(
  size: { width: number; height: number }, words: Axis, coverage: readonly (number | null)[],
  hover: (index: number | null) => void, ondraw: (plot: uPlot) => void,
): Omit<uPlot.Options, "series"> {
  const axis: uPlot.Axis = { stroke: cssColor("muted"), font: FONT, grid: { stroke: cssColor("rule"), width: 1 }, ticks: { show: false } };
  const labelPx = Math.max(...words.labels.map((label) => label.length), 4) * 6.6 + 14;
  const count = coverage.length;
  const labelAt = new Map(words.at.map((at, index) => [at, words.labels[index] ?? ""]));
  return {
    ...size,
    padding: [10, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: {
      x: { time: false, range: () => [-0.5, Math.max(0.5, count - 0.5)] },
      y: { range: (_, __, high) => [0, Math.max(high ?? 0, LEAST_TOP) * 1.06] },
    },
    axes: [
      { ...axis, size: 28, gap: 8, grid: { show: false }, splits: () => thinned(words.at, size.width - 56, labelPx), values: (_, at) => at.map((index) => labelAt.get(index) ?? "") },
      { ...axis, size: 48, gap: 5, space: 28, incrs: WHOLE_STEPS },
    ],
    hooks: {
      drawClear: [(plot) => drawMissed(plot, coverage)],
      setCursor: [(plot) => hover(plot.cursor.idx ?? null)],
      draw: [ondraw],
    },
  };
}

interface Drawing { plot: uPlot; size: { width: number; height: number } }

/** Draws bars into a box. `hover` gets the bucket under the pointer, `ondraw` runs after each drawing. */
export function drawBars(box: HTMLElement, bars: Bars, size: Drawing["size"], hover: (index: number | null) => void, ondraw: () => void): uPlot {
  const tops = stacked(bars.series);
  const other = bars.other ? bars.coverage.map((_, index) => bars.other?.values[index] ?? null) : null;
  const scaled: uPlot.Series = { width: 0, points: { show: false }, paths: () => null };
  const options = frame(size, bars.axis, bars.coverage, hover, (plot) => {
    drawStack(plot, bars.series, tops);
    if (other) drawSteps(plot, other);
    ondraw();
  });
  const data = [bars.coverage.map((_, index) => index), tops.at(-1) ?? [], ...(other ? [other] : [])];
  return new uPlot({ ...options, series: [{}, scaled, ...(other ? [scaled] : [])] }, data as uPlot.AlignedData, box);
}

/** Draws shares between none and all; where nobody was counted the line is broken. */
export function drawShares(box: HTMLElement, shares: Shares, size: Drawing["size"], hover: (index: number | null) => void): uPlot {
  const options = frame(size, shares.axis, shares.coverage, hover, () => undefined);
  const color = cssColor("accent");
  const axes = (options.axes ?? []).map((axis, index) => (index === 1 ? { ...axis, incrs: [0.25, 0.5, 1], values: (_: uPlot, at: number[]) => at.map(percent) } : axis));
  return new uPlot({
    ...options, axes, scales: { ...options.scales, y: { range: [0, 1.05] } },
    series: [{}, { stroke: color, width: 2, spanGaps: false, points: { show: true, size: 7, fill: color } }],
  }, [shares.coverage.map((_, index) => index), [...shares.values]] as uPlot.AlignedData, box);
}
