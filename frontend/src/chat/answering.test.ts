import { expect, test } from "vitest";

import type { Run } from "../shared/api";
import type { RunEvent } from "../shared/events";
import { begin, fold, isOver, visibleText } from "./answering";

const usage = { input_tokens: 3, output_tokens: 2 };

function run(changes: Partial<Run>): Run {
  const id = "00000000-0000-7000-8000-000000000001";
  return {
    id,
    state: "running",
    text: "",
    error: null,
    events_url: "",
    finish_reason: "",
    usage: null,
    fallback: null,
    ...changes,
  };
}

function after(start: Run, ...events: RunEvent[]): ReturnType<typeof begin> {
  return events.reduce(fold, begin(start));
}

test("deltas add up to the answer", () => {
  const view = after(
    run({ state: "queued" }),
    { kind: "run.queued", position: 2, waits_for: "place" },
    { kind: "run.started", model: "chat-small", backend: "local" },
    { kind: "run.delta", text: "Good " },
    { kind: "run.delta", text: "morning." },
    { kind: "run.finished", usage, finish_reason: "stop" },
  );
  expect(visibleText(view)).toBe("Good morning.");
  expect([view.stage, view.position, view.isCutShort]).toEqual(["finished", null, false]);
});

test("waiting, it knows for what, as it was told last", () => {
  const held = after(run({ state: "queued" }), { kind: "run.queued", position: 3, waits_for: "own_answer" });
  expect([held.stage, held.position, held.waitsFor]).toEqual(["waiting", 3, "own_answer"]);
  const inLine = fold(held, { kind: "run.queued", position: 1, waits_for: "place" });
  expect([inLine.stage, inLine.position, inLine.waitsFor]).toEqual(["waiting", 1, "place"]);
});

test("after a reload the stored text stands until the replay has caught up, and nothing doubles", () => {
  let view = begin(run({ text: "Good morn" }));
  expect(visibleText(view)).toBe("Good morn");
  view = fold(view, { kind: "run.delta", text: "Good " });
  expect(visibleText(view)).toBe("Good morn");
  view = fold(view, { kind: "run.delta", text: "morning." });
  expect(visibleText(view)).toBe("Good morning.");
});

test("a restart empties the answer, also what was stored", () => {
  const view = after(run({ text: "Half an ans" }), { kind: "run.restarted" }, { kind: "run.delta", text: "New" });
  expect(visibleText(view)).toBe("New");
  expect(view.isRestarted).toBe(true);
});

test("a snapshot replaces the text", () => {
  const view = after(
    run({ text: "old" }),
    { kind: "run.delta", text: "o" },
    { kind: "run.snapshot", text: "All of it.", reasoning: "Because." },
    { kind: "run.stopped", usage },
  );
  expect([visibleText(view), view.reasoning, view.stage]).toEqual(["All of it.", "Because.", "stopped"]);
});

test("a failure keeps what was written and why it ended", () => {
  const failure = {
    code: "limit_reached",
    message: "Spent.",
    retry: false,
    limit: 20,
    used: 20,
    meter: "messages",
  } as const;
  const view = after(
    run({}),
    { kind: "run.delta", text: "Kept" },
    { kind: "run.failed", ...failure, resets_at: "2026-11-02T16:40:00Z", lifted_by: "premium" },
  );
  expect(view.text).toBe("Kept");
  expect(view.failure?.lifted_by).toBe("premium");
  expect(isOver(view)).toBe(true);
});

test("what is stored of a finished run needs no events", () => {
  const view = begin(run({ state: "succeeded", finish_reason: "length", text: "x" }), "Whole answer");
  expect([view.stage, visibleText(view), view.isCutShort]).toEqual(["finished", "Whole answer", true]);
});

test("a fallback to a smaller model is told", () => {
  const notice: RunEvent = {
    kind: "run.notice",
    code: "fallback_model",
    model: "chat-small",
    requested_model: "chat-large",
    resets_at: null,
  };
  const fallback = { model: "chat-small", requested_model: "chat-large", resets_at: null };
  expect(after(run({}), notice).fallback).toEqual(fallback);
  expect(begin(run({ fallback })).fallback).toEqual(fallback);
  expect(after(run({}), { ...notice, code: "limit_80", requested_model: null }).fallback).toBeNull();
});
