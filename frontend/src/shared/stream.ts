import { type ApiError, readError } from "./api";
import { type Frame, FrameReader } from "./frames";

export type Line = "open" | "broken" | "offline";

export interface Listener {
  /** An event; answer false when it was the last one. */
  hear(frame: Frame): boolean;
  /** The state of the line changed. */
  feel(line: Line): void;
  /** The server refuses this stream for good. */
  fail(error: ApiError): void;
}

// The server sends something at least every 15 s; twice that without a byte, and the line is dead.
const SILENCE_MS = 35_000;
const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 10_000;

/** Follow a stream of events to its end through lost connections, sleep and flight; returns what lets it go. */
export function follow(url: string, listener: Listener): () => void {
  const stream = new Stream(url, listener);
  void stream.run();
  return () => stream.close();
}

class Stream {
  #isOver = false;
  #lastId: string | null = null;
  #failures = 0;
  #request = new AbortController();
  #wake: () => void = () => undefined;
  #lastByteAt = 0;

  constructor(
    private readonly url: string,
    private readonly listener: Listener,
  ) {}

  async run(): Promise<void> {
    const stopWatching = this.#watch();
    while (!this.#isOver) {
      await this.#attempt();
      if (!this.#isOver) await this.#pause();
    }
    stopWatching();
  }

  close(): void {
    this.#isOver = true;
    this.#request.abort();
    this.#wake();
  }

  async #attempt(): Promise<void> {
    this.#request = new AbortController();
    this.#lastByteAt = performance.now();
    try {
      const headers = { Accept: "text/event-stream", ...(this.#lastId ? { "Last-Event-ID": this.#lastId } : {}) };
      const response = await fetch(this.url, { headers, signal: this.#request.signal, cache: "no-store" });
      if (response.ok && response.body) await this.#read(response.body);
      else if (response.status < 500 && response.status !== 429) this.#refuse(await readError(response));
    } catch {
      // Lost on the way: the loop tries again from the last event.
    }
  }

  #refuse(error: ApiError): void {
    this.#isOver = true;
    this.listener.fail(error);
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const frames = new FrameReader();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    this.listener.feel("open");
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.#isOver) return;
      this.#lastByteAt = performance.now();
      this.#failures = 0;
      for (const frame of frames.push(decoder.decode(value, { stream: true }))) this.#pass(frame);
    }
  }

  #pass(frame: Frame): void {
    this.#lastId = frame.id ?? this.#lastId;
    if (!this.#isOver && !this.listener.hear(frame)) this.close();
  }

  async #pause(): Promise<void> {
    const pause = pauseAfter(this.#failures++, Math.random());
    this.listener.feel(navigator.onLine ? "broken" : "offline");
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pause);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Notice a dead line, and a device that is back: then do not wait. */
  #watch(): () => void {
    const hurry = (): void => this.#wake();
    const look = (): void => {
      if (performance.now() - this.#lastByteAt > SILENCE_MS) this.#request.abort();
      if (document.visibilityState === "visible") hurry();
    };
    const timer = setInterval(() => {
      if (performance.now() - this.#lastByteAt > SILENCE_MS) this.#request.abort();
    }, SILENCE_MS / 5);
    addEventListener("online", hurry);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      removeEventListener("online", hurry);
      document.removeEventListener("visibilitychange", look);
    };
  }
}

/** Milliseconds before the next try: doubling, bounded, and spread so that many clients do not return at once. */
export function pauseAfter(failures: number, chance: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS) * (0.5 + chance / 2);
}
