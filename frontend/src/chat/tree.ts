import type { Message } from "../shared/api";

/** The messages from the first one down to `leafId`; without it, down to the newest. */
export function pathTo(messages: readonly Message[], leafId: string | null): Message[] {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const path: Message[] = [];
  let step = byId.get(leafId ?? "") ?? messages.at(-1);
  while (step && path.length < messages.length) {
    path.unshift(step);
    step = byId.get(step.parent_id ?? "");
  }
  return path;
}

/** The ids of a message and of those that stand in its place, oldest first. */
export function siblingsOf(messages: readonly Message[], message: Message): string[] {
  return messages
    .filter((other) => other.parent_id === message.parent_id && other.role === message.role)
    .map((other) => other.id);
}

/** The end of the newest path below a message: what to show when a person walks to it. */
export function leafBelow(messages: readonly Message[], id: string): string {
  const child = messages.findLast((message) => message.parent_id === id);
  return child ? leafBelow(messages, child.id) : id;
}
