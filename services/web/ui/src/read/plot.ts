import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { missedOf, shownLabels, stacked } from "./bars.ts";
import type { Bars, Shares } from "./bars.ts";
import { cssColor } from "./colors.ts";

/** Charts on a canvas; all of uPlot is in here, and is fetched when the first chart is drawn. */

const LEAST_TOP = 4;
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

function frame(
  size: { width: number; height: number }, labels: readonly string[], coverage: readonly (number | null)[],
  hover: (index: number | null) => void, ondraw: () => void,
): Omit<uPlot.Options, "series"> {
  const axis: uPlot.Axis = { stroke: cssColor("muted"), font: FONT, grid: { stroke: cssColor("rule"), width: 1 }, ticks: { show: false } };
  const labelPx = Math.max(...labels.map((label) => label.length), 4) * 6.6 + 14;
  return {
    ...size,
    padding: [10, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: {
      x: { time: false, range: () => [-0.5, Math.max(0.5, labels.length - 0.5)] },
      y: { range: (_, __, high) => [0, Math.max(high ?? 0, LEAST_TOP) * 1.06] },
    },
    axes: [
      { ...axis, size: 24, gap: 4, grid: { show: false }, splits: () => shownLabels(labels.length, size.width - 56, labelPx), values: (_, at) => at.map((index) => labels[index] ?? "") },
      { ...axis, size: 48, gap: 5, space: 28 },
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
  const paths = uPlot.paths.bars?.({ size: [0.78, 46], radius: 0.1 });
  const steps = uPlot.paths.stepped?.({ align: 1, ascDesc: true });
  const tops = stacked(bars.series).reverse();
  const colors = bars.series.map((one) => one.color).reverse();
  const series: uPlot.Series[] = tops.map((_, index) => ({ fill: colors[index] ?? "", width: 0, points: { show: false }, ...(paths && { paths }) }));
  const other = bars.other;
  if (other) series.push({ stroke: cssColor("ink"), width: 2, dash: [5, 4], points: { show: false }, ...(steps && { paths: steps }) });
  const data = [bars.labels.map((_, index) => index), ...tops, ...(other ? [bars.labels.map((_, index) => other.values[index] ?? null)] : [])];
  return new uPlot({ ...frame(size, bars.labels, bars.coverage, hover, ondraw), series: [{}, ...series] }, data as uPlot.AlignedData, box);
}

/** Draws shares between none and all; where nobody was counted the line is broken. */
export function drawShares(box: HTMLElement, shares: Shares, size: Drawing["size"], hover: (index: number | null) => void): uPlot {
  const options = frame(size, shares.labels, shares.coverage, hover, () => undefined);
  const color = cssColor("accent");
  const axes = (options.axes ?? []).map((axis, index) => (index === 1 ? { ...axis, values: (_: uPlot, at: number[]) => at.map((value) => `${Math.round(value * 100)} %`) } : axis));
  return new uPlot({
    ...options, axes, scales: { ...options.scales, y: { range: [0, 1.05] } },
    series: [{}, { stroke: color, width: 2, spanGaps: false, points: { show: true, size: 7, fill: color } }],
  }, [shares.labels.map((_, index) => index), [...shares.values]] as uPlot.AlignedData, box);
}
