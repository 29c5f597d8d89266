import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

/** The page is served by web itself; while developing, the API of a running Sightline is used. */
export default defineConfig({
  base: "./",
  plugins: [svelte()],
  server: { proxy: { "/api": { target: "http://127.0.0.1:8080", ws: true } } },
  build: {
    target: "es2022", outDir: "dist", emptyOutDir: true, assetsInlineLimit: 0,
    license: { fileName: "licenses.md" },
  },
});
