import * as api from "./api.ts";
import { accountLine } from "./account.ts";
import { addCameraDialog } from "./addCamera.ts";
import { cameraList } from "./cameras.ts";
import { countsPanel } from "./counts.ts";
import { coverageCard } from "./coverage.ts";
import { open, refreshCameras, startData } from "./data.ts";
import { el, icon, setText } from "./dom.ts";
import { shortcuts } from "./editor.ts";
import { hourlyCard } from "./hourly.ts";
import { liveView } from "./live.ts";
import { loginView } from "./login.ts";
import { recentCard } from "./recent.ts";
import { mayEdit } from "./session.ts";
import { state, watch } from "./state.ts";
import { t } from "./strings.ts";
import { systemLine } from "./system.ts";
import { attempt, toastArea } from "./toast.ts";
import { upkeepNotices } from "./upkeep.ts";
import "./style.css";

function startDemo(): void {
  void attempt(async () => {
    const { id } = await api.createCamera({ name: t.demoName, url: "demo://traffic" });
    await refreshCameras();
    open(id);
  });
}

function welcome(): HTMLElement {
  return el("section", { class: "welcome" }, icon("camera"),
    el("h1", {}, t.noCameraTitle), el("p", { class: "edit-only" }, t.noCameraText),
    el("div", { class: "actions edit-only" },
      el("button", { type: "button", class: "primary", onclick: () => addCameraDialog() }, icon("plus"), t.addCamera),
      el("button", { type: "button", onclick: startDemo }, t.tryDemo)));
}

const banner = el("div", { class: "banner", role: "alert", hidden: true });
const main = el("main", {},
  el("div", { class: "centre" }, liveView(), hourlyCard()),
  el("aside", { class: "side" }, coverageCard(), countsPanel(), recentCard()));
const first = welcome();
const waiting = el("p", { class: "waiting" }, t.loading);
const brand = el("header", { class: "brand" }, el("img", { src: "/favicon.svg", alt: "", width: 22, height: 22 }), el("span", {}, t.product));
const page = el("div", { class: "page" }, el("div", { class: "rail" }, brand, accountLine(), cameraList()), waiting, main, first, systemLine());

watch(["cameras", "openId"], () => {
  const none = state.cameras !== null && state.cameras.length === 0;
  waiting.hidden = state.cameras !== null;
  first.hidden = !none;
  main.hidden = state.cameras === null || none;
});

watch(["session"], () => {
  page.hidden = state.session !== null && state.session.role === null;
  document.documentElement.classList.toggle("viewer", !mayEdit());
});

document.querySelector("#app")?.append(banner, upkeepNotices(), loginView(), page, toastArea());
shortcuts();
startData((detail) => {
  banner.hidden = detail === "";
  setText(banner, detail ? t.retrying(detail) : t.down);
});
