import { ApiError, type Conversation, deleteConversation, listConversations, renameConversation } from "../shared/api";

const TYPING_PAUSE_MS = 250;

/** The conversations in the sidebar, as far as they are loaded. */
export class Conversations {
  items = $state.raw<Conversation[]>([]);
  query = $state("");
  error = $state.raw<ApiError | null>(null);
  isLoaded = $state(false);
  hasMore = $derived.by(() => this.#cursor !== null);

  #cursor = $state<string | null>(null);
  #asked = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Load from the newest on. */
  load(): Promise<void> {
    return this.#fetch(null, []);
  }

  loadMore(): Promise<void> {
    return this.#fetch(this.#cursor, this.items);
  }

  search(query: string): void {
    this.query = query;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load(), TYPING_PAUSE_MS);
  }

  /** A conversation was begun or went on: it stands first. */
  touch(conversation: Conversation): void {
    const now = { ...conversation, updated_at: new Date().toISOString() };
    this.items = [now, ...this.items.filter(({ id }) => id !== conversation.id)];
  }

  async rename(conversation: Conversation, title: string): Promise<void> {
    await this.#attempt(async () => {
      const renamed = await renameConversation(conversation.id, title);
      this.items = this.items.map((item) => (item.id === renamed.id ? renamed : item));
    });
  }

  async remove(conversation: Conversation): Promise<boolean> {
    return this.#attempt(async () => {
      await deleteConversation(conversation.id);
      this.items = this.items.filter(({ id }) => id !== conversation.id);
    });
  }

  async #fetch(cursor: string | null, before: Conversation[]): Promise<void> {
    const asked = ++this.#asked;
    await this.#attempt(async () => {
      const page = await listConversations(cursor, this.query.trim());
      if (asked !== this.#asked) return;
      this.items = [...before, ...page.conversations];
      this.#cursor = page.next_cursor;
      this.isLoaded = true;
    });
  }

  async #attempt(act: () => Promise<void>): Promise<boolean> {
    this.error = null;
    try {
      await act();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.error = error;
      return false;
    }
  }
}
