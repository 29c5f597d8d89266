import { mount } from "svelte";
import App from "./app/App.svelte";
import "./app/theme.css";
import { loadWords } from "./strings/index.svelte.ts";

const target = document.querySelector("#app");
await loadWords();
if (target) mount(App, { target });
