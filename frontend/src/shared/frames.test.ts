import { expect, test } from "vitest";

import { FrameReader } from "./frames";

test("a frame torn anywhere comes out whole", () => {
  const text = 'id: 1-1\nevent: run.delta\ndata: {"text":"a"}\n\nid: 1-2\nevent: run.delta\ndata: {"text":"é"}\n\n';
  for (let cut = 0; cut <= text.length; cut++) {
    const reader = new FrameReader();
    const frames = [...reader.push(text.slice(0, cut)), ...reader.push(text.slice(cut))];
    expect(frames).toEqual([
      { id: "1-1", event: "run.delta", data: '{"text":"a"}' },
      { id: "1-2", event: "run.delta", data: '{"text":"é"}' },
    ]);
  }
});

test("a heartbeat is no event", () => {
  expect(new FrameReader().push(": still here\n\n")).toEqual([]);
});

test("an event without an id has none", () => {
  expect(new FrameReader().push('event: run.queued\ndata: {"position":3}\n\n')).toEqual([
    { id: null, event: "run.queued", data: '{"position":3}' },
  ]);
});

test("an unfinished frame waits", () => {
  expect(new FrameReader().push("event: run.delta\ndata: {}\n")).toEqual([]);
});
