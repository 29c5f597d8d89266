import { mount } from "svelte";
import App from "./app/App.svelte";
import "./app/theme.css";

const target = document.querySelector("#app");
if (target) mount(App, { target });
