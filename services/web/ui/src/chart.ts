import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { cssColor } from "./colors.ts";
import type { Hour } from "./hours.ts";
import { missing } from "./hours.ts";
import type { Size } from "./types.ts";

/** The day by the hour: forward upwards, backward downwards, hours with gaps hatched. */
const HOUR_S = 3600;
const LEAST = 3;

function hatch(context: CanvasRenderingContext2D): CanvasPattern | string {
  const step = 6 * devicePixelRatio;
  const tile = document.createElement("canvas");
  tile.width = tile.height = step;
  const pen = tile.getContext("2d");
  if (!pen) return "transparent";
  pen.strokeStyle = cssColor("gap");
  pen.lineWidth = 1.5 * devicePixelRatio;
  for (const shift of [-step, 0, step]) {
    pen.beginPath();
    pen.moveTo(shift, step);
    pen.lineTo(shift + step, 0);
    pen.stroke();
  }
  return context.createPattern(tile, "repeat") ?? "transparent";
}

/** Behind the bars: a missing hour must not look like a quiet one. */
function drawGaps(plot: uPlot, hours: readonly Hour[]): void {
  const { ctx, bbox } = plot;
  const pattern = hatch(ctx);
  for (const hour of hours) {
    const share = missing(hour);
    if (share === 0) continue;
    const start = hour.start.getTime() / 1000;
    const left = plot.valToPos(start, "x", true);
    const width = plot.valToPos(start + HOUR_S, "x", true) - left;
    ctx.save();
    ctx.globalAlpha = 0.3 + 0.7 * share;
    ctx.fillStyle = cssColor("gap-ground");
    ctx.fillRect(left, bbox.top, width, bbox.height);
    ctx.fillStyle = pattern;
    ctx.fillRect(left, bbox.top, width, bbox.height);
    ctx.restore();
  }
}

function toData(hours: readonly Hour[]): uPlot.AlignedData {
  const shown = (hour: Hour, count: number) => (hour.coverage === null ? null : count);
  return [
    hours.map((hour) => hour.start.getTime() / 1000 + HOUR_S / 2),
    hours.map((hour) => shown(hour, hour.forward)),
    hours.map((hour) => shown(hour, -hour.backward)),
  ];
}

function options(hours: () => readonly Hour[], size: Size, hover: (index: number | null) => void): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: cssColor("muted"), font: "11px system-ui, sans-serif",
    grid: { stroke: cssColor("rule"), width: 1 }, ticks: { show: false },
  };
  const bars = uPlot.paths.bars?.({ size: [0.66, 28], radius: 0.15 });
  const series = (color: string): uPlot.Series => ({ fill: cssColor(color), width: 0, points: { show: false }, ...(bars ? { paths: bars } : {}) });
  const edge = (index: number) => (hours()[index]?.start.getTime() ?? 0) / 1000;
  return {
    ...size,
    padding: [8, 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: {
      x: { time: false, range: () => [edge(0), edge(hours().length - 1) + HOUR_S] },
      y: { range: (_, low, high) => [Math.min(low ?? 0, -LEAST) * 1.08, Math.max(high ?? 0, LEAST) * 1.08] },
    },
    axes: [
      { ...axis, size: 22, gap: 3, grid: { show: false },
        splits: () => hours().filter((hour) => hour.start.getHours() % 3 === 0).map((hour) => hour.start.getTime() / 1000),
        values: (_, values) => values.map((value) => String(new Date(value * 1000).getHours()).padStart(2, "0")) },
      { ...axis, size: 34, gap: 4, space: 24, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000],
        values: (_, values) => values.map((value) => String(Math.abs(value))) },
    ],
    series: [{}, series("forward"), series("backward")],
    hooks: {
      drawClear: [(plot) => drawGaps(plot, hours())],
      setCursor: [(plot) => hover(plot.cursor.idx ?? null)],
    },
  };
}

export interface Chart { show(hours: readonly Hour[]): void }

/** Draws into `box` and follows its size and the colour scheme. */
export function createChart(box: HTMLElement, hover: (index: number | null) => void): Chart {
  let hours: readonly Hour[] = [];
  let plot: uPlot | null = null;
  const size = (): Size => ({ width: Math.max(160, box.clientWidth), height: Math.max(120, box.clientHeight) });
  const build = () => {
    plot?.destroy();
    plot = hours.length > 0 ? new uPlot(options(() => hours, size(), hover), toData(hours), box) : null;
  };
  new ResizeObserver(() => plot?.setSize(size())).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", build);
  return {
    show(next) {
      const same = next[0]?.start.getTime() === hours[0]?.start.getTime() && next.length === hours.length;
      hours = next;
      if (plot && same) plot.setData(toData(hours));
      else build();
    },
  };
}
