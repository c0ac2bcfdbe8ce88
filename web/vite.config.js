// Everything the page needs lies in dist/ as files of its own: the daemon's Content-Security-Policy allows nothing inline.
import { defineConfig } from "vite";

export default defineConfig({
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    target: "es2020",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: { proxy: { "/v1": process.env.EXPERIMENTD_URL || "http://127.0.0.1:8090" } },
});
