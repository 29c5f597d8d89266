/** Small helpers over the DOM; text is always set as text, never as markup. */
type Child = Node | string | null | false;
type Props = Record<string, string | number | boolean | null | undefined | ((event: never) => void)>;

function apply(node: Element, props: Props): void {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2), value as EventListener);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
}

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K, props: Props = {}, ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  apply(node, props);
  node.append(...children.filter((child): child is Node | string => child !== null && child !== false));
  return node;
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K, props: Props = {}, ...children: Node[]
): SVGElementTagNameMap[K] {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  apply(node, props);
  node.append(...children);
  return node;
}

/** Changes a text only when it differs, so that a selection or a screen reader is not disturbed. */
export function setText(node: Node, value: string): void {
  if (node.textContent !== value) node.textContent = value;
}

export function setAttributes(node: Element, attributes: Record<string, string | number>): void {
  for (const [name, value] of Object.entries(attributes)) {
    const next = String(value);
    if (node.getAttribute(name) !== next) node.setAttribute(name, next);
  }
}

export interface Keyed<T> { node: Element; update(item: T): void }

/** Keeps one child for each item, in order, and re-uses it while its key lasts. */
export class KeyedList<T> {
  private readonly parts = new Map<string, Keyed<T>>();

  constructor(
    private readonly parent: Element,
    private readonly key: (item: T) => string,
    private readonly create: (item: T) => Keyed<T>,
  ) {}

  render(list: readonly T[]): void {
    const keys = new Set(list.map(this.key));
    for (const [key, part] of this.parts) {
      if (keys.has(key)) continue;
      part.node.remove();
      this.parts.delete(key);
    }
    let before = this.parent.firstElementChild;
    for (const item of list) {
      const key = this.key(item);
      const part = this.parts.get(key) ?? this.create(item);
      this.parts.set(key, part);
      part.update(item);
      if (part.node === before) before = before.nextElementSibling;
      else this.parent.insertBefore(part.node, before);
    }
  }

  get(key: string): Keyed<T> | undefined {
    return this.parts.get(key);
  }
}

const ICONS = {
  plus: "M12 5v14M5 12h14",
  arrow: "M4 12h15m-6-6 6 6-6 6",
  pen: "m4 20 4-1L19 8l-3-3L5 16l-1 4Z",
  line: "M4 18 20 6M4 18h.01M20 6h.01",
  flip: "M7 4v14m0 0-3-3m3 3 3-3M17 20V6m0 0-3 3m3-3 3 3",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  power: "M12 3v9M6.5 6.5a8 8 0 1 0 11 0",
  close: "M6 6l12 12M18 6 6 18",
  key: "M14.5 9.5 20 4m-2.5 2.5L20 9M15 14a5 5 0 1 1-10 0 5 5 0 0 1 10 0Z",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7 8a7 7 0 0 1 14 0",
  camera: "M3 7h11a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H3V7Zm13 4 5-3v8l-5-3",
} as const;

export function icon(name: keyof typeof ICONS): SVGSVGElement {
  return svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
}
