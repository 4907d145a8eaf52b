import DOMPurify from "dompurify";
import { Marked, type Token, type Tokens } from "marked";

/** A part of an answer that is drawn by itself, so that only the last one is drawn again while it grows. */
export type Block = { kind: "html"; html: string } | { kind: "code"; language: string; text: string };

const TAGS =
  "p h1 h2 h3 h4 h5 h6 ul ol li blockquote pre code em strong del a br hr table thead tbody tr th td span".split(" ");
const marked = new Marked({ gfm: true, breaks: false });

marked.use({
  renderer: {
    // What looks like HTML is shown as it was written, never obeyed.
    html: ({ text }) => escapeHtml(text),
    // Nothing is loaded from elsewhere because an answer says so: an image is a link to it.
    image: ({ href, text }) => `<a href="${escapeHtml(href)}">${escapeHtml(text || href)}</a>`,
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
  },
});

const purifier = DOMPurify(window);
purifier.addHook("afterSanitizeAttributes", (node) => {
  if (node.nodeName !== "A") return;
  node.setAttribute("target", "_blank");
  node.setAttribute("rel", "noopener noreferrer nofollow");
});

/** Cut an answer into blocks of clean HTML and blocks of code. */
export function blocksOf(text: string): Block[] {
  return marked
    .lexer(text)
    .filter((token) => token.type !== "space")
    .map(blockOf);
}

function blockOf(token: Token): Block {
  if (token.type === "code") {
    const { lang, text } = token as Tokens.Code;
    return { kind: "code", language: /^[\w+#.-]+/.exec(lang ?? "")?.[0] ?? "", text };
  }
  return { kind: "html", html: clean(marked.parser([token])) };
}

/** Leave of some HTML only what text needs. */
export function clean(html: string): string {
  return purifier.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ["href", "title", "start", "align", "class"],
    ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
  });
}

export function escapeHtml(text: string): string {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (sign) => names[sign] ?? sign);
}
