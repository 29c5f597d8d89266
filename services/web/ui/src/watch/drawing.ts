import type { Track } from "../api/live-messages.ts";
import type { Line, Point, Size } from "../api/types.ts";
import { classColor, inkOn } from "../parts/class-colors.ts";

/** What can be drawn over a live picture. */
export const LAYERS = ["boxes", "labels", "lines", "trails"] as const;
export type Layer = (typeof LAYERS)[number];
export type Layers = Record<Layer, boolean>;

/** Draws what Sightline knows of a picture over it: on the screen, and into a snapshot. */
export interface Knowledge {
  tracks: readonly Track[];
  trails: ReadonlyMap<number, { class: string; points: readonly Point[] }>;
  lines: readonly Line[];
  /** What a person reads for a class. */
  nameOf: (name: string) => string;
}

const ARROW_SHARE = 0.055;
const PAD = 4;

/** What a track looks like: how a mask is worn says more than that it is a person. */
export const kindOf = (track: Track): string => track.mask ?? track.class;

export function labelOf(track: Track, nameOf: (name: string) => string): string {
  const state = track.mask && track.mask !== track.class ? ` · ${nameOf(track.mask)}` : "";
  return `${nameOf(track.class)} ${track.id}${state}`;
}

/** The arrow of the forward direction: from the middle of the longest part, to the right hand of who walks from A. */
export function arrowOf(points: readonly Point[], length: number): { from: Point; to: Point } | null {
  let longest: [Point, Point] | null = null;
  for (const [i, b] of points.entries()) {
    const a = points[i - 1];
    if (a && (!longest || apart(a, b) > apart(...longest))) longest = [a, b];
  }
  if (!longest) return null;
  const [a, b] = longest;
  const size = apart(a, b) || 1;
  const from: Point = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  return { from, to: [from[0] - ((b[1] - a[1]) / size) * length, from[1] + ((b[0] - a[0]) / size) * length] };
}

/** How far an arrow that points up is to be turned clockwise, to point forward in a picture of this width to height. */
export function arrowDegrees(points: readonly Point[], ratio: number): number {
  const arrow = arrowOf(points.map(([x, y]): Point => [x * ratio, y]), 1);
  return arrow ? (Math.atan2(arrow.to[1] - arrow.from[1], arrow.to[0] - arrow.from[0]) * 180) / Math.PI + 90 : 0;
}

const apart = (a: Point, b: Point): number => Math.hypot(b[0] - a[0], b[1] - a[1]);

/** Letters and lines are smaller over a picture that is small on the screen, so that they leave something of it. */
export const letterScale = (screenWidth: number): number => Math.min(1, Math.max(0.75, screenWidth / 640));

/** `unit` is how many pixels of the canvas are one of the screen's: lines and letters keep their size. */
export function drawAll(context: CanvasRenderingContext2D, size: Size, unit: number, shown: Layers, known: Knowledge): void {
  const draw = new Pen(context, size, unit);
  if (shown.trails) for (const { class: name, points } of known.trails.values()) draw.path(points, classColor(name), 2, 0.75);
  if (shown.lines) for (const line of known.lines) draw.line(line);
  for (const track of known.tracks) {
    const color = classColor(kindOf(track));
    if (shown.boxes) draw.box(track.box, color);
    if (shown.labels) draw.label(labelOf(track, known.nameOf), [track.box[0], track.box[1]], color);
  }
}

class Pen {
  readonly #context: CanvasRenderingContext2D;
  readonly #size: Size;
  readonly #unit: number;

  constructor(context: CanvasRenderingContext2D, size: Size, unit: number) {
    this.#context = context;
    this.#size = size;
    this.#unit = unit;
    context.lineJoin = context.lineCap = "round";
    context.textBaseline = "middle";
    context.font = `600 ${12 * unit}px system-ui, sans-serif`;
  }

  box([x1, y1, x2, y2]: Track["box"], color: string): void {
    const { width, height } = this.#size;
    this.#context.strokeStyle = color;
    this.#context.lineWidth = 2 * this.#unit;
    this.#context.strokeRect(x1 * width, y1 * height, (x2 - x1) * width, (y2 - y1) * height);
  }

  /** A path with a dark edge, so that it shows on light and dark alike. */
  path(points: readonly Point[], color: string, width: number, alpha = 1): void {
    const context = this.#context;
    context.beginPath();
    for (const [x, y] of points) context.lineTo(x * this.#size.width, y * this.#size.height);
    context.globalAlpha = alpha;
    context.strokeStyle = "rgb(0 0 0 / 45%)";
    context.lineWidth = (width + 2) * this.#unit;
    context.stroke();
    context.strokeStyle = color;
    context.lineWidth = width * this.#unit;
    context.stroke();
    context.globalAlpha = 1;
  }

  line({ points, color, name }: Line): void {
    this.path(points, color, 3);
    const { width, height } = this.#size;
    const arrow = arrowOf(points.map(([x, y]): Point => [x * width, y * height]), ARROW_SHARE * height);
    if (arrow) this.#arrow(arrow.from, arrow.to, color);
    if (points[0]) this.label(name, points[0], color);
  }

  #arrow(from: Point, to: Point, color: string): void {
    const share = (point: Point): Point => [point[0] / this.#size.width, point[1] / this.#size.height];
    const [x, y] = [(to[0] - from[0]) * 0.35, (to[1] - from[1]) * 0.35];
    this.path([share(from), share(to)], color, 2);
    this.path([share([to[0] - x - y * 0.7, to[1] - y + x * 0.7]), share(to), share([to[0] - x + y * 0.7, to[1] - y - x * 0.7])], color, 2);
  }

  /** A text above a place, moved into the picture. */
  label(text: string, [x, y]: Point, color: string): void {
    const [context, unit] = [this.#context, this.#unit];
    const width = context.measureText(text).width + 2 * PAD * unit;
    const height = 18 * unit;
    const left = Math.max(0, Math.min(x * this.#size.width - unit, this.#size.width - width));
    const top = Math.max(0, Math.min(y * this.#size.height - height, this.#size.height - height));
    context.fillStyle = color;
    context.fillRect(left, top, width, height);
    context.fillStyle = inkOn(color);
    context.fillText(text, left + PAD * unit, top + height / 2 + unit * 0.5);
  }
}
