import { svelte } from "@sveltejs/vite-plugin-svelte";
import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "vitest/config";

// django-vite reads dist/manifest.json and links what an entry needs; Django serves dist/ below /static/.
const config = defineConfig({
  base: "/static/",
  plugins: [tailwindcss(), svelte()],
  build: {
    outDir: "dist",
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: ["src/site/site.css", "src/site/main.ts", "src/chat/main.ts", "src/reports/chart.ts"],
    },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.ts"],
  },
});

// Vite finds its configuration by the default export; nothing else in this folder has one.
export { config as default };
