import type { Fallback, Run, RunFailure } from "../shared/api";
import type { RunEvent, WaitsFor } from "../shared/events";

export type Stage = "waiting" | "starting" | "writing" | "finished" | "stopped" | "failed";

/** One answer as the page shows it, while it is being made and afterwards. */
export interface Answering {
  stage: Stage;
  position: number | null;
  waitsFor: WaitsFor;
  text: string;
  /** What the server had stored when the page was loaded: shown until the replayed events have caught up. */
  checkpoint: string;
  reasoning: string;
  isRestarted: boolean;
  /** Another model answers than was asked for, whose limit is used up. */
  fallback: Fallback | null;
  isCutShort: boolean;
  failure: RunFailure | null;
}

const STAGES: Record<Run["state"], Stage> = {
  queued: "starting",
  running: "writing",
  succeeded: "finished",
  stopped: "stopped",
  failed: "failed",
};

/** How an answer looks by what the server has stored of it. */
export function begin(run: Run, storedText = ""): Answering {
  const isOver = run.state !== "queued" && run.state !== "running";
  const text = storedText || run.text;
  return {
    stage: STAGES[run.state],
    position: null,
    waitsFor: "place",
    text: isOver ? text : "",
    checkpoint: text,
    reasoning: "",
    isRestarted: false,
    fallback: run.fallback,
    isCutShort: run.finish_reason === "length",
    failure: run.error,
  };
}

export function isOver(answering: Answering): boolean {
  return answering.stage === "finished" || answering.stage === "stopped" || answering.stage === "failed";
}

/** What to show: the events' text, unless what was stored is still ahead of them. */
export function visibleText(answering: Answering): string {
  return answering.text.length >= answering.checkpoint.length ? answering.text : answering.checkpoint;
}

/** The answer after one more event. Events may be replayed from the start: the text is built from them alone. */
export function fold(now: Answering, event: RunEvent): Answering {
  switch (event.kind) {
    case "run.queued":
      return { ...now, stage: "waiting", position: event.position, waitsFor: event.waits_for };
    case "run.started":
      return { ...now, stage: "writing", position: null };
    case "run.delta":
      return { ...now, stage: "writing", text: now.text + event.text };
    case "run.reasoning":
      return { ...now, stage: "writing", reasoning: now.reasoning + event.text };
    case "run.notice":
      return event.code === "fallback_model" ? { ...now, fallback: fallbackOf(event) } : now;
    case "run.restarted":
      return { ...now, stage: "starting", text: "", checkpoint: "", reasoning: "", isRestarted: true };
    case "run.snapshot":
      return { ...now, text: event.text, checkpoint: event.text, reasoning: event.reasoning };
    default:
      return end(now, event);
  }
}

function fallbackOf(notice: Extract<RunEvent, { kind: "run.notice" }>): Fallback {
  const { model, requested_model, resets_at } = notice;
  return { model: model ?? "", requested_model: requested_model ?? "", resets_at };
}

function end(
  now: Answering,
  event: Extract<RunEvent, { kind: "run.finished" | "run.stopped" | "run.failed" }>,
): Answering {
  const ended = { ...now, text: visibleText(now), checkpoint: "", isRestarted: false, position: null };
  if (event.kind === "run.stopped") return { ...ended, stage: "stopped" };
  if (event.kind === "run.failed") return { ...ended, stage: "failed", failure: event };
  return { ...ended, stage: "finished", isCutShort: event.finish_reason === "length" };
}
