import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { canKeepPasskeys, offerPasskeys } from "./passkeys";

beforeEach(() => {
  vi.stubGlobal("PublicKeyCredential", function PublicKeyCredential() {});
});
afterEach(() => {
  vi.unstubAllGlobals();
  document.body.innerHTML = "";
});

test("passkeys belong to names, not to addresses", () => {
  expect(canKeepPasskeys("causerie.example")).toBe(true);
  expect(canKeepPasskeys("localhost")).toBe(true);
  expect(canKeepPasskeys("127.0.0.1")).toBe(false);
  expect(canKeepPasskeys("[::1]")).toBe(false);
});

test("what needs passkeys shows where there are any", () => {
  document.body.innerHTML = '<form data-passkey="ask" hidden></form><p data-needs-passkey hidden></p>';
  offerPasskeys(document);
  expect(document.querySelectorAll("[hidden]").length).toBe(0);
});

test("a browser without them says so instead of doing nothing", () => {
  vi.stubGlobal("PublicKeyCredential", undefined);
  document.body.innerHTML = `<form data-passkey="make"><button>Make</button><p data-passkey-problem hidden></p></form>
    <form data-passkey="ask" hidden></form><p data-needs-passkey hidden></p>`;
  offerPasskeys(document);
  expect(document.querySelector<HTMLElement>("[data-passkey-problem]")?.hidden).toBe(false);
  expect(document.querySelector("button")?.hasAttribute("disabled")).toBe(true);
  expect(document.querySelectorAll("[data-passkey=ask][hidden], [data-needs-passkey][hidden]").length).toBe(2);
});
