import { SvelteMap } from "svelte/reactivity";

import {
  ApiError,
  type Conversation,
  getConversation,
  type Message,
  retryMessage,
  sendMessage,
  stopRun,
} from "../shared/api";
import { isTerminal, readEvent, type RunEvent } from "../shared/events";
import { follow, type Line } from "../shared/stream";
import { type Answering, begin, fold, isOver } from "./answering";
import { leafBelow, pathTo, siblingsOf } from "./tree";

type Status = "new" | "loading" | "ready" | "failed";

/** The conversation on the screen: its messages, the path shown, and the answers being made. */
export class Thread {
  status = $state<Status>("new");
  conversation = $state.raw<Conversation | null>(null);
  messages = $state.raw<Message[]>([]);
  leafId = $state<string | null>(null);
  /** What was just sent and is not stored yet. */
  outgoing = $state<string | null>(null);
  /** Why the last thing asked for did not happen. */
  refusal = $state.raw<ApiError | null>(null);
  line = $state<Line>("open");
  stoppingId = $state<string | null>(null);
  readonly answers = new SvelteMap<string, Answering>();

  path = $derived(pathTo(this.messages, this.leafId));
  last = $derived(this.path.at(-1) ?? null);
  running = $derived.by(() => {
    const answer = this.last && this.answers.get(this.last.id);
    return this.last && answer && !isOver(answer) ? this.last : null;
  });

  readonly #releases = new Map<string, () => void>();
  readonly #pending = new Map<string, Answering>();
  #isFlushDue = false;
  #visit = 0;

  /** `onSpent` is told when an answer begins and when it is over: what is left may have changed. */
  constructor(private readonly onSpent: () => void) {}

  clear(): void {
    this.#leave();
    this.status = "new";
  }

  async load(id: string): Promise<void> {
    const visit = this.#leave();
    this.status = "loading";
    try {
      const { messages, leaf_id, ...conversation } = await getConversation(id);
      if (visit !== this.#visit) return;
      this.conversation = conversation;
      this.messages = messages;
      this.leafId = leaf_id;
      this.status = "ready";
      for (const message of messages) this.#take(message);
    } catch (error) {
      if (visit !== this.#visit) return;
      this.refusal = asApiError(error);
      this.status = "failed";
    }
  }

  /** Send a message; false when it was refused, and then nothing is stored. */
  async send(text: string, model: string | null): Promise<boolean> {
    const visit = this.#visit;
    this.refusal = null;
    this.outgoing = text;
    const draft = { conversation_id: this.conversation?.id ?? null, parent_id: this.last?.id ?? null, text, model };
    try {
      const sent = await sendMessage(draft);
      if (visit !== this.#visit) return true;
      this.conversation = sent.conversation;
      this.status = "ready";
      this.#add(sent.message, sent.reply);
      return true;
    } catch (error) {
      if (visit === this.#visit) this.refusal = asApiError(error);
      return false;
    } finally {
      if (visit === this.#visit) this.outgoing = null;
    }
  }

  async retry(message: Message): Promise<void> {
    this.refusal = null;
    const visit = this.#visit;
    try {
      const { reply } = await retryMessage(message.id);
      if (visit === this.#visit) this.#add(reply);
    } catch (error) {
      if (visit === this.#visit) this.refusal = asApiError(error);
    }
  }

  async stop(): Promise<void> {
    const message = this.running;
    if (!message?.run) return;
    this.stoppingId = message.id;
    try {
      await stopRun(message.run.id);
    } catch (error) {
      this.stoppingId = null;
      this.refusal = asApiError(error);
    }
  }

  siblings(message: Message): string[] {
    return siblingsOf(this.messages, message);
  }

  walkTo(id: string): void {
    this.leafId = leafBelow(this.messages, id);
  }

  #leave(): number {
    for (const release of this.#releases.values()) release();
    this.#releases.clear();
    this.#pending.clear();
    this.answers.clear();
    this.conversation = this.refusal = this.outgoing = this.stoppingId = this.leafId = null;
    this.messages = [];
    this.line = "open";
    return ++this.#visit;
  }

  #add(...messages: Message[]): void {
    for (const message of messages) this.#take(message);
    this.messages = [...this.messages, ...messages];
    this.leafId = messages.at(-1)?.id ?? this.leafId;
  }

  /** Show a stored answer, and follow it while it is being made. */
  #take(message: Message): void {
    const { run } = message;
    if (!run) return;
    const answering = begin(run, message.text);
    this.answers.set(message.id, answering);
    if (isOver(answering)) return;
    const release = follow(run.events_url, {
      hear: (frame) => {
        const event = readEvent(frame);
        if (event) this.#hear(message.id, event);
        return !(event && isTerminal(event));
      },
      feel: (line) => (this.line = line),
      fail: (error) => (this.refusal = error),
    });
    this.#releases.set(message.id, release);
  }

  #hear(id: string, event: RunEvent): void {
    const now = this.#pending.get(id) ?? this.answers.get(id);
    if (!now) return;
    this.#pending.set(id, fold(now, event));
    if (event.kind === "run.started") this.onSpent();
    if (isTerminal(event)) {
      this.#flush();
      this.#releases.delete(id);
      if (this.stoppingId === id) this.stoppingId = null;
      this.onSpent();
    } else if (!this.#isFlushDue) {
      this.#isFlushDue = true;
      if (document.hidden) setTimeout(() => this.#flush());
      else requestAnimationFrame(() => this.#flush());
    }
  }

  /** Show what came since the last frame, all at once. */
  #flush(): void {
    this.#isFlushDue = false;
    for (const [id, answering] of this.#pending) this.answers.set(id, answering);
    this.#pending.clear();
  }
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  throw error;
}
