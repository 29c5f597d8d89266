import { mount } from "svelte";
import { BASE } from "./api/base.ts";
import App from "./app/App.svelte";
import "./app/theme.css";
import { loadWords } from "./strings/index.svelte.ts";

/* An address that cannot be read names nothing that there is: it is shown as it was written. */
try {
  decodeURIComponent(location.pathname);
} catch {
  history.replaceState(null, "", location.pathname.replaceAll("%", "%25") + location.search);
}

/* After an upgrade the files of this page have other names: the new page is fetched, once the server gives it. */
addEventListener("vite:preloadError", () => {
  fetch(BASE, { cache: "no-store" }).then((answer) => { if (answer.ok) location.reload(); }, () => undefined);
});

const target = document.querySelector("#app");
await loadWords();
if (target) mount(App, { target });
