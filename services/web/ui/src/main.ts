import { mount } from "svelte";
import App from "./app/App.svelte";
import "./app/theme.css";
import { loadWords } from "./strings/index.svelte.ts";

/* An address that cannot be read names nothing that there is: it is shown as it was written. */
try {
  decodeURIComponent(location.pathname);
} catch {
  history.replaceState(null, "", location.pathname.replaceAll("%", "%25") + location.search);
}

const target = document.querySelector("#app");
await loadWords();
if (target) mount(App, { target });
