import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { ApiError } from "./api";
import { follow, type Line, pauseAfter } from "./stream";

const answers: (Response | Error)[] = [];
const asked: (string | null)[] = [];

beforeEach(() => {
  answers.length = asked.length = 0;
  vi.useFakeTimers();
  vi.stubGlobal("fetch", (_url: string, options: RequestInit) => {
    asked.push(new Headers(options.headers).get("Last-Event-ID"));
    const answer = answers.shift() ?? new Error("nothing more");
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function listen(): { heard: string[]; lines: Line[]; errors: ApiError[] } {
  const log = { heard: [] as string[], lines: [] as Line[], errors: [] as ApiError[] };
  follow("/events", {
    hear: (frame) => log.heard.push(frame.data) > 0 && frame.event !== "run.finished",
    feel: (line) => log.lines.push(line),
    fail: (error) => log.errors.push(error),
  });
  return log;
}

test("resumes after the last event it heard, and stops at the terminal one", async () => {
  answers.push(new Response("id: 1-1\nevent: run.delta\ndata: a\n\n"), new Error("lost"));
  answers.push(new Response("id: 1-2\nevent: run.finished\ndata: b\n\n"));
  const log = listen();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(asked).toEqual([null, "1-1", "1-1"]);
  expect(log.heard).toEqual(["a", "b"]);
  expect(log.lines).toEqual(["open", "broken", "broken", "open"]);
});

test("does not ask again when the server refuses", async () => {
  answers.push(Response.json({ error: { code: "not_found", message: "Gone." } }, { status: 404 }));
  const log = listen();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(asked).toEqual([null]);
  expect(log.errors.map((error) => [error.status, error.message])).toEqual([[404, "Gone."]]);
});

test("asks again after a server's trouble", async () => {
  answers.push(new Response("", { status: 503 }), new Response("event: run.finished\ndata: x\n\n"));
  const log = listen();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(asked).toHaveLength(2);
  expect(log.heard).toEqual(["x"]);
});

test("waits longer each time, never long", () => {
  expect([0, 1, 2, 3].map((failures) => pauseAfter(failures, 1))).toEqual([400, 800, 1600, 3200]);
  expect(pauseAfter(30, 1)).toBe(10_000);
  expect(pauseAfter(0, 0)).toBe(200);
});
