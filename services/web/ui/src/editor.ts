import { KeyedList, setAttributes, svg } from "./dom.ts";
import { clampPoint, distance, movePoints, pictureRect, toPixels } from "./geometry.ts";
import { LineShape } from "./lineShape.ts";
import * as lines from "./lines.ts";
import { mayEdit } from "./session.ts";
import { openCamera, shownLines, state, update, watch } from "./state.ts";
import { t } from "./strings.ts";
import type { Draft, Point, Size } from "./types.ts";

/** The lines over the picture, and the hand that draws and moves them. */
const CLICK_PX = 6;
const SHORTEST_PX = 12;
const NUDGE_MS = 700;
const NEW = "new";

type Grip =
  | { kind: "draw"; start: Point; from: Point }
  | { kind: "move"; handle: number | null; from: Point; before: Point[]; moved: boolean };

export function createEditor(picture: HTMLImageElement, box: HTMLElement): SVGSVGElement {
  const rubber = svg("g", { class: "rubber" });
  const list = svg("g");
  const overlay = svg("svg", { class: "overlay", "data-testid": "overlay", role: "group", "aria-label": t.overlay }, list, rubber);
  let size: Size = { width: 1, height: 1 };
  let grip: Grip | null = null;
  /** The first end of a line that is drawn with two clicks. */
  let first: Point | null = null;
  let nudge: { timer: number; before: Point[]; id: string | null } | null = null;

  const shapes = new KeyedList<Draft>(list, (line) => line.id ?? NEW, (made) => {
    const shape = new LineShape(made.id ?? NEW);
    return { node: shape.node, update: (line) => shape.update(line, size, line.id === state.draft?.id) };
  });
  const rubberShape = new LineShape("rubber");

  const render = () => {
    const draft = state.draft;
    const all: Draft[] = shownLines();
    if (draft?.id === null) all.push(draft);
    shapes.render(all);
    if (!state.drawing) first = null;
    overlay.setAttribute("class", `overlay${state.drawing ? " drawing" : ""}${draft ? " editing" : ""}`);
  };
  const layout = () => {
    const natural = { width: picture.naturalWidth, height: picture.naturalHeight };
    const known = natural.width > 0 ? natural : (openCamera()?.resolution ?? { width: 16, height: 9 });
    box.style.setProperty("--ratio", String(known.width / known.height));
    const rect = pictureRect(box.getBoundingClientRect(), known);
    Object.assign(overlay.style, { left: `${rect.x}px`, top: `${rect.y}px`, width: `${rect.width}px`, height: `${rect.height}px` });
    setAttributes(overlay, { viewBox: `0 0 ${rect.width} ${rect.height}` });
    size = { width: rect.width, height: rect.height };
    render();
  };

  const at = (event: PointerEvent): Point => {
    const rect = overlay.getBoundingClientRect();
    return clampPoint([(event.clientX - rect.left) / rect.width, (event.clientY - rect.top) / rect.height]);
  };
  const pixels = (a: Point, b: Point): number => distance(toPixels(a, size), toPixels(b, size));
  const showRubber = (to: Point | null) => {
    const from = grip?.kind === "draw" ? grip.start : first;
    if (!from || !to || !state.drawing) return rubber.replaceChildren();
    rubberShape.update({ id: null, name: "", points: [from, to], anchor: "centre", classes: null, color: "#ffffff" }, size, false);
    if (!rubber.firstChild) rubber.append(rubberShape.node);
  };
  const finish = (from: Point, to: Point) => {
    first = null;
    grip = null;
    rubber.replaceChildren();
    lines.startLine([from, to]);
  };

  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    const point = at(event);
    if (state.drawing) {
      event.preventDefault();
      overlay.setPointerCapture(event.pointerId);
      grip = { kind: "draw", start: first ?? point, from: point };
      return showRubber(point);
    }
    const target = event.target as Element;
    const key = target.closest("[data-line]")?.getAttribute("data-line");
    if (!key) return state.draft?.id === null ? undefined : lines.cancel();
    const line = shownLines().find((known) => known.id === key);
    if (line) lines.select(line);
    const handle = target.closest("[data-handle]")?.getAttribute("data-handle");
    if (!state.draft) return;
    overlay.setPointerCapture(event.pointerId);
    grip = { kind: "move", handle: handle ? Number(handle) : null, from: point, before: state.draft.points, moved: false };
  };
  const move = (event: PointerEvent) => {
    const point = at(event);
    if (state.drawing) return showRubber(point);
    if (grip?.kind !== "move") return;
    grip.moved ||= pixels(grip.from, point) > 3;
    if (!grip.moved) return;
    const { handle, before, from } = grip;
    const points = handle === null
      ? movePoints(before, point[0] - from[0], point[1] - from[1])
      : before.map((p, i) => (i === handle ? point : p));
    lines.change({ points });
  };
  const up = (event: PointerEvent) => {
    const ended = grip;
    grip = null;
    if (ended?.kind === "move" && ended.moved) return void lines.place(ended.before);
    if (ended?.kind !== "draw") return;
    const point = at(event);
    if (pixels(ended.start, point) >= SHORTEST_PX && (first !== null || pixels(ended.from, point) > CLICK_PX)) {
      return finish(ended.start, point);
    }
    first = ended.start;
    showRubber(point);
  };
  const nudgeEnd = (handle: number | null, dx: number, dy: number) => {
    const draft = state.draft;
    if (!draft) return;
    const points = handle === null ? movePoints(draft.points, dx, dy)
      : draft.points.map((p, i) => (i === handle ? clampPoint([p[0] + dx, p[1] + dy]) : p));
    const before = nudge?.id === draft.id ? nudge.before : draft.points;
    clearTimeout(nudge?.timer);
    const settle = () => {
      nudge = null;
      if (state.draft?.id === draft.id) void lines.place(before);
    };
    nudge = { before, id: draft.id, timer: window.setTimeout(settle, NUDGE_MS) };
    lines.change({ points });
  };
  const key = (event: KeyboardEvent) => {
    const target = event.target as Element;
    const id = target.closest("[data-line]")?.getAttribute("data-line");
    if (!id) return;
    const line = shownLines().find((known) => known.id === id);
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (line) lines.select(line);
    }
    if (event.key === "Delete" && state.draft) void lines.remove();
    const step = (event.shiftKey ? 10 : 1) / size.width;
    const moves: Record<string, Point> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = moves[event.key];
    if (!way) return;
    event.preventDefault();
    if (line) lines.select(line);
    const handle = target.getAttribute("data-handle");
    nudgeEnd(handle === null ? null : Number(handle), way[0] * step, (way[1] * step * size.width) / size.height);
  };

  overlay.addEventListener("pointerdown", down);
  overlay.addEventListener("pointermove", move);
  overlay.addEventListener("pointerup", up);
  overlay.addEventListener("pointercancel", () => { grip = null; });
  overlay.addEventListener("keydown", key);
  new ResizeObserver(layout).observe(box);
  picture.addEventListener("load", layout);
  watch(["playing", "openId", "cameras"], layout);
  watch(["lines", "draft", "drawing"], () => { render(); if (!state.drawing) rubber.replaceChildren(); });
  return overlay;
}

/** L begins a line, Escape ends whatever is under way. */
export function shortcuts(): void {
  document.addEventListener("keydown", (event) => {
    const busy = (event.target as Element).closest("input, select, textarea, dialog") !== null;
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) return lines.cancel();
    if (event.key === "Enter" && state.drawing && event.target === document.body) return lines.startInMiddle();
    if (busy || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.toLowerCase() === "l" && state.playing && mayEdit()) update({ draft: null, drawing: true });
  });
}
