import { KeyedList, el, setAttributes, setText } from "./dom.ts";
import { state, watch } from "./state.ts";
import { t } from "./strings.ts";
import type { SystemInfo } from "./types.ts";

type Service = SystemInfo["services"][number];

const GOOD = ["ok", "up", "live", "ready", "running", "healthy"];

/** The line at the foot of the page: version, database and how the services are. */
export function systemLine(): HTMLElement {
  const version = el("span");
  const database = el("span");
  const trouble = el("span", { class: "service bad", role: "status", "data-testid": "database-trouble" });
  const list = el("span", { class: "services", role: "list", "aria-label": t.services });
  const services = new KeyedList<Service>(list, (service) => service.name, (service) => {
    const label = el("span");
    const node = el("span", { role: "listitem" }, el("span", { class: "dot", "aria-hidden": "true" }), label);
    return {
      node,
      update(now) {
        const good = GOOD.includes(now.status);
        setAttributes(node, { class: good ? "service good" : "service bad" });
        setText(label, `${service.name} ${now.status}`);
      },
    };
  });
  watch(["system"], () => {
    const system = state.system;
    setText(version, `${t.product} ${system?.version ?? ""}`.trim());
    setText(database, system ? describe(system.database.kind, system.database.free_bytes) : "");
    const wrong = system ? troubleOf(system) : "";
    setText(trouble, wrong);
    trouble.hidden = wrong === "";
    services.render(system?.services ?? []);
  });
  return el("footer", { "data-testid": "system-line" }, version, database, trouble, list);
}

/** What keeps the database from its work, or what is not stored for want of room. */
function troubleOf({ database }: SystemInfo): string {
  return database.status === "up" ? (database.not_stored ?? "") : database.status;
}

function describe(kind: string, freeBytes: number | null): string {
  return freeBytes === null ? t.database(kind) : `${t.database(kind)}, ${t.free((freeBytes / 1e9).toFixed(1))}`;
}
