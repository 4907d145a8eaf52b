import { expect, test } from "vitest";

import { type Block, blocksOf } from "./marking";

const htmlOf = (text: string): string =>
  blocksOf(text)
    .map((block: Block) => (block.kind === "html" ? block.html : `[${block.language}] ${block.text}`))
    .join("");

test.each([
  ["<script>alert(1)</script>", "script"],
  ['<img src=x onerror="alert(1)">', "img"],
  ["[x](javascript:alert(1))", "href"],
  ["[x](data:text/html,<script>1</script>)", "href"],
  ['<a href="#" onclick="alert(1)">x</a>', "a"],
  ["<svg><animate onbegin=alert(1)></svg>", "svg"],
  ["<iframe srcdoc='<p>'></iframe>", "iframe"],
  ['<style>body{background:url("//x")}</style>', "style"],
])("%s makes nothing that acts", (text, culprit) => {
  const page = document.createElement("div");
  page.innerHTML = htmlOf(text);
  expect(page.querySelector(culprit === "href" ? "[href]" : culprit)).toBeNull();
  expect(page.innerHTML).not.toMatch(/<[^>]+\son\w+=/i);
});

test("HTML in an answer is shown as it was written", () => {
  expect(htmlOf("Use `<b>` or <b>bold</b>.")).toContain("&lt;b&gt;bold&lt;/b&gt;");
});

test("an image becomes a link, and nothing is loaded", () => {
  const html = htmlOf("![a cat](https://example.org/cat.png)");
  expect(html).not.toContain("<img");
  expect(html).toContain('href="https://example.org/cat.png"');
  expect(html).toContain(">a cat</a>");
});

test("links open elsewhere without handing over this page", () => {
  const html = htmlOf("[x](https://example.org)");
  expect(html).toContain('rel="noopener noreferrer nofollow"');
  expect(html).toContain('target="_blank"');
});

test("code stands in a block of its own, also before its fence is closed", () => {
  expect(blocksOf("So:\n\n```python\nprint(1)")).toEqual([
    { kind: "html", html: "<p>So:</p>\n" },
    { kind: "code", language: "python", text: "print(1)" },
  ]);
});

test("a growing answer changes its last block only", () => {
  const before = blocksOf("One.\n\nTwo");
  const after = blocksOf("One.\n\nTwo and a half.\n\nThree");
  expect(after[0]).toEqual(before[0]);
  expect(after).toHaveLength(3);
});
