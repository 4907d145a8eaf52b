import { vitePreprocess } from "@sveltejs/vite-plugin-svelte";

export { config as default };

const config = {
  preprocess: vitePreprocess(),
  compilerOptions: { runes: true },
};
