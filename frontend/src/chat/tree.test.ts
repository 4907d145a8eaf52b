import { expect, test } from "vitest";

import type { Message } from "../shared/api";
import { leafBelow, pathTo, siblingsOf } from "./tree";

const message = (id: string, parent_id: string | null, role: Message["role"]): Message => ({
  id,
  parent_id,
  role,
  text: id,
  model: "",
  created_at: "2026-11-02T09:00:00Z",
  run: null,
});

// q1 ─ a1 ─ q2 ─ a3
//    └ a2 ─ q3 ─ a4
const messages = [
  message("q1", null, "user"),
  message("a1", "q1", "assistant"),
  message("a2", "q1", "assistant"),
  message("q2", "a1", "user"),
  message("a3", "q2", "assistant"),
  message("q3", "a2", "user"),
  message("a4", "q3", "assistant"),
];

test("the path leads from the first message to the leaf", () => {
  expect(pathTo(messages, "a3").map(({ id }) => id)).toEqual(["q1", "a1", "q2", "a3"]);
});

test("without a leaf the newest message ends the path", () => {
  expect(pathTo(messages, null).map(({ id }) => id)).toEqual(["q1", "a2", "q3", "a4"]);
  expect(pathTo([], null)).toEqual([]);
});

test("siblings stand in the same place", () => {
  expect(siblingsOf(messages, message("a2", "q1", "assistant"))).toEqual(["a1", "a2"]);
  expect(siblingsOf(messages, message("q2", "a1", "user"))).toEqual(["q2"]);
});

test("walking to a sibling shows the newest below it", () => {
  expect(leafBelow(messages, "a1")).toBe("a3");
  expect(leafBelow(messages, "a4")).toBe("a4");
});

test("a ring of messages does not hang the page", () => {
  const ring = [message("x", "y", "user"), message("y", "x", "assistant")];
  expect(pathTo(ring, "x").length).toBeLessThanOrEqual(2);
});
