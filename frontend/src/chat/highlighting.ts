import type { HLJSApi } from "highlight.js";

import { clean, escapeHtml } from "./marking";

const LONGEST_CODE = 20_000;
let library: Promise<HLJSApi> | null = null;

/** Code with its words coloured, as clean HTML; plain where the language is unknown or the code very long. */
export async function highlight(text: string, language: string): Promise<string> {
  if (text.length > LONGEST_CODE) return escapeHtml(text);
  library ??= import("./languages").then((module) => module.hljs);
  const hljs = await library;
  if (!hljs.getLanguage(language)) return escapeHtml(text);
  return clean(hljs.highlight(text, { language, ignoreIllegals: true }).value);
}
