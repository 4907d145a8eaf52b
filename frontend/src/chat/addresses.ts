const CONVERSATION = /^\/chat\/([0-9a-f-]{36})\/$/;

export const NEW = "/chat/";

export const addressOf = (id: string): string => `/chat/${id}/`;

/** The conversation that an address shows; null for a new one. */
export function conversationAt(path: string): string | null {
  return CONVERSATION.exec(path)?.[1] ?? null;
}
