import { createRouter } from "sv-router";
import Frame from "./Frame.svelte";
import NotFound from "./NotFound.svelte";
import Wall from "../watch/Wall.svelte";

/** The addresses of the page. web serves the page at the first words of these (`services/web/page.py`). */
export const { p, navigate, isActive, route } = createRouter({
  "/": Wall,
  "/watch/:camera": () => import("../watch/Watch.svelte"),
  "/draw/:camera": () => import("../draw/Draw.svelte"),
  "/counts": () => import("../read/Counts.svelte"),
  "/crossings": () => import("../read/Crossings.svelte"),
  "/system": () => import("../system/System.svelte"),
  "/system/:part": () => import("../system/System.svelte"),
  "/account": () => import("../account/Account.svelte"),
  "/account/:part": () => import("../account/Account.svelte"),
  "*": NotFound,
  layout: Frame,
});
