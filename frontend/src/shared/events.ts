import type { RunFailure } from "./api";
import type { Frame } from "./frames";

export interface Usage {
  input_tokens: number;
  output_tokens: number;
}

/** For a worker, or for the end of another answer of the same person. */
export type WaitsFor = "place" | "own_answer";

/** What happens to a run, named as on the server. */
export type RunEvent =
  | { kind: "run.queued"; position: number; waits_for: WaitsFor }
  | { kind: "run.started"; model: string; backend: string }
  | { kind: "run.delta"; text: string }
  | { kind: "run.reasoning"; text: string }
  | { kind: "run.notice"; code: string; model: string | null; requested_model: string | null; resets_at: string | null }
  | { kind: "run.restarted" }
  | { kind: "run.snapshot"; text: string; reasoning: string }
  | { kind: "run.finished"; usage: Usage; finish_reason: string }
  | { kind: "run.stopped"; usage: Usage }
  | ({ kind: "run.failed" } & RunFailure);

const KINDS: ReadonlySet<string> = new Set<RunEvent["kind"]>([
  "run.queued",
  "run.started",
  "run.delta",
  "run.reasoning",
  "run.notice",
  "run.restarted",
  "run.snapshot",
  "run.finished",
  "run.stopped",
  "run.failed",
]);

/** Read a frame; null for a kind this page does not know yet. */
export function readEvent(frame: Frame): RunEvent | null {
  if (!KINDS.has(frame.event)) return null;
  return { ...(JSON.parse(frame.data) as object), kind: frame.event } as RunEvent;
}

export function isTerminal(event: RunEvent): boolean {
  return event.kind === "run.finished" || event.kind === "run.stopped" || event.kind === "run.failed";
}
