import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

const EMBEDDED = ["preact", "@preact/signals", "@preact/signals-core"];

// The licences of what is built in ask to be passed on with it.
const thirdParty: Plugin = {
  name: "third-party",
  generateBundle() {
    const texts = EMBEDDED.map((name) => `${name}\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8")}`);
    this.emitFile({ type: "asset", fileName: "THIRD-PARTY.txt", source: texts.join("\n---\n\n") });
  },
};

// A script and a sheet for the first screen, and those for the rest, of fixed names: they are committed and
// embedded in the crate.
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  publicDir: "public",
  plugins: [thirdParty],
  build: {
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    modulePreload: false,
    rollupOptions: {
      output: {
        entryFileNames: "app.js",
        chunkFileNames: "[name].js",
        assetFileNames: (asset) => (asset.names.includes("index.css") ? "app.css" : "[name][extname]"),
      },
    },
  },
});
