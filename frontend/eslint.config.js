import js from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";

import svelteConfig from "./svelte.config.js";

const ONE_CLIENT = "Talk to the server through src/shared/api.ts and src/shared/stream.ts.";
const clients = ["fetch", "EventSource", "XMLHttpRequest"];

const config = ts.config(
  { ignores: ["dist", "node_modules", "src/shared/schema.d.ts"] },
  js.configs.recommended,
  ts.configs.strict,
  svelte.configs.recommended,
  {
    languageOptions: { globals: globals.browser },
    rules: {
      "no-undef": "off", // TypeScript knows better
      "no-restricted-globals": ["error", ...clients.map((name) => ({ name, message: ONE_CLIENT }))],
      "no-restricted-properties": [
        "error",
        ...clients.map((property) => ({ object: "window", property, message: ONE_CLIENT })),
      ],
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "Export by name, so that a thing has one name everywhere." },
      ],
      "max-lines": ["error", { max: 250 }],
      "max-lines-per-function": ["error", { max: 45 }],
      complexity: ["error", 10],
      eqeqeq: "error",
      "no-console": "error",
      "@typescript-eslint/consistent-type-imports": "error",
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: [".svelte"], svelteConfig } },
    rules: {
      "svelte/no-at-html-tags": "error",
      "svelte/prefer-svelte-reactivity": "off", // a private map or a date that is only read needs none
      "prefer-const": "off",
      "svelte/prefer-const": "off",
      "max-lines-per-function": "off", // a component's script is one function to the linter
    },
  },
  { files: ["src/shared/**"], rules: { "no-restricted-globals": "off", "no-restricted-properties": "off" } },
  { files: ["src/**/*.test.ts"], rules: { "max-lines-per-function": "off" } },
  { files: ["*.js", "*.config.ts"], languageOptions: { globals: globals.node } },
);

export { config as default };
