import { setAttributes, setText, svg } from "./dom.ts";
import { forwardArrow, toPixels } from "./geometry.ts";
import { t } from "./strings.ts";
import type { Draft, Point, Size } from "./types.ts";

/** One line on the picture: a casing, the line, its forward arrow, its name and a handle for each point. */
const ARROW_PX = 30;

const path = (points: readonly Point[]): string =>
  points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");

function head(from: Point, to: Point): string {
  const [ux, uy] = [(to[0] - from[0]) / ARROW_PX, (to[1] - from[1]) / ARROW_PX];
  const wing = (side: number): Point => [to[0] - ux * 9 - uy * 6 * side, to[1] - uy * 9 + ux * 6 * side];
  return path([from, to]) + path([wing(1), to, wing(-1)]);
}

/** Letters for the points, A to B for a plain line. */
export const endName = (index: number): string => String.fromCharCode(65 + index);

export class LineShape {
  readonly node: SVGGElement;
  private readonly body = svg("g", { class: "body", tabindex: 0, role: "button" });
  private readonly casing = svg("path", { class: "casing" });
  private readonly stroke = svg("path", { class: "stroke" });
  private readonly arrowCasing = svg("path", { class: "casing" });
  private readonly arrow = svg("path", { class: "stroke arrow" });
  private readonly label = svg("text", { class: "label" });
  private readonly hit = svg("path", { class: "hit" });
  private handles: SVGGElement[] = [];

  constructor(key: string) {
    this.body.append(this.casing, this.stroke, this.arrowCasing, this.arrow, this.label, this.hit);
    this.node = svg("g", { "data-line": key }, this.body);
  }

  update(line: Draft, size: Size, selected: boolean): void {
    const points = line.points.map((p) => toPixels(p, size));
    this.node.setAttribute("class", selected ? "line selected" : "line");
    if (line.id !== null) setAttributes(this.node, { "data-testid": `line-${line.id}` });
    this.node.style.setProperty("--line", line.color);
    setAttributes(this.body, { "aria-label": t.lineLabel(line.name), "aria-pressed": String(selected) });
    const d = path(points);
    for (const part of [this.casing, this.stroke, this.hit]) setAttributes(part, { d });
    const arrow = forwardArrow(points, ARROW_PX);
    const arrowPath = arrow ? head(arrow.from, arrow.to) : "";
    for (const part of [this.arrowCasing, this.arrow]) setAttributes(part, { d: arrowPath });
    this.placeLabel(line.name, points, size, arrow?.to ?? null);
    this.placeHandles(line, points);
  }

  /** Beside the first point, on the side away from the arrow, inside the picture. */
  private placeLabel(name: string, points: Point[], size: Size, tip: Point | null): void {
    const [a, b] = [points[0], points[points.length - 1]];
    if (!a || !b) return;
    const middle: Point = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    const away: Point = tip ? [(middle[0] - tip[0]) / ARROW_PX, (middle[1] - tip[1]) / ARROW_PX] : [0, -1];
    const half = name.length * 3.6 + 4;
    const x = Math.min(size.width - half, Math.max(half, middle[0] + away[0] * (half + 6)));
    const y = Math.min(size.height - 8, Math.max(16, middle[1] + away[1] * 14 + 4));
    setAttributes(this.label, { x: x.toFixed(1), y: y.toFixed(1) });
    setText(this.label, name);
  }

  private placeHandles(line: Draft, points: Point[]): void {
    while (this.handles.length > points.length) this.handles.pop()?.remove();
    while (this.handles.length < points.length) this.handles.push(this.addHandle(this.handles.length));
    points.forEach(([x, y], i) => {
      const handle = this.handles[i];
      if (!handle) return;
      setAttributes(handle, { transform: `translate(${x.toFixed(2)} ${y.toFixed(2)})`, "aria-label": t.endLabel(endName(i), line.name) });
    });
  }

  private addHandle(index: number): SVGGElement {
    const letter = svg("text", { class: "letter", dy: "0.36em" });
    letter.textContent = endName(index);
    const handle = svg("g", { class: "handle", tabindex: 0, role: "button", "data-handle": index },
      svg("circle", { class: "reach", r: 16 }), svg("circle", { class: "dot", r: 8 }), letter);
    this.node.append(handle);
    return handle;
  }
}
