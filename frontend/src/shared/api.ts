import { say } from "./i18n";
import type { components } from "./schema";

type Bodies = components["schemas"];
export type Conversation = Bodies["ConversationBody"];
export type FullConversation = Bodies["FullConversationBody"];
export type ConversationPage = Bodies["ConversationPageBody"];
export type Message = Bodies["MessageBody"];
export type Run = Bodies["RunBody"];
export type RunFailure = Bodies["RunErrorBody"];
export type Fallback = Bodies["FallbackBody"];
export type Draft = Bodies["DraftBody"];
export type Sent = Bodies["SentBody"];
export type Model = Bodies["ModelBody"];
export type ReportReason = Bodies["ReasonEnum"];
export type Balance = Bodies["Balance"];

type Method = "GET" | "POST" | "PATCH" | "DELETE";
export type Facts = Partial<Pick<RunFailure, "limit" | "used" | "resets_at" | "lifted_by" | "meter">>;

/** The server said no, or could not be reached (`status` 0). The message is made for people. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly facts: Facts = {},
  ) {
    super(message);
  }

  get isSignedOut(): boolean {
    return this.code === "unauthenticated" || this.status === 401;
  }
}

export const listConversations = (cursor: string | null, query: string): Promise<ConversationPage> =>
  call("GET", `/api/v1/conversations?${new URLSearchParams({ ...(cursor ? { cursor } : {}), q: query }).toString()}`);

export const getConversation = (id: string): Promise<FullConversation> => call("GET", `/api/v1/conversations/${id}`);

export const renameConversation = (id: string, title: string): Promise<Conversation> =>
  call("PATCH", `/api/v1/conversations/${id}`, { title });

export const deleteConversation = (id: string): Promise<void> => call("DELETE", `/api/v1/conversations/${id}`);

export const sendMessage = (draft: Draft): Promise<Sent> => call("POST", "/api/v1/messages", draft);

export const retryMessage = (id: string): Promise<Bodies["ReplyBody"]> =>
  call("POST", `/api/v1/messages/${id}/retry`, {});

export const reportMessage = (id: string, report: Bodies["ReportBody"]): Promise<void> =>
  call("POST", `/api/v1/messages/${id}/report`, report);

export const stopRun = (id: string): Promise<void> => call("POST", `/api/v1/runs/${id}/stop`, {});

export const listModels = (): Promise<Bodies["ModelsBody"]> => call("GET", "/api/v1/models");

/** What the server wants a passkey to sign; `publicKey` is as WebAuthn has it. */
export interface PasskeyRequest {
  request_options: { publicKey: object };
}

export const askForPasskey = (path: string): Promise<PasskeyRequest> => call("GET", path);

export interface Strength {
  score: number;
  is_enough: boolean;
  word: string;
}

export const judgePassword = (password: string, email: string): Promise<Strength> =>
  call("POST", "/password-strength/", { password, email });

export const listBalances = (): Promise<Bodies["Balances"]> => call("GET", "/api/v1/balances");

async function call<Answer>(method: Method, path: string, body?: object): Promise<Answer> {
  const response = await reach(path, {
    method,
    headers: {
      Accept: "application/json",
      ...(method === "GET" ? {} : { "X-CSRFToken": csrfToken() }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw await readError(response);
  const text = await response.text();
  return (text === "" ? undefined : JSON.parse(text)) as Answer;
}

async function reach(path: string, options: RequestInit): Promise<Response> {
  try {
    return await fetch(path, options);
  } catch {
    throw new ApiError(0, "network", say("networkError"));
  }
}

/** Read what the server says about a refusal; anything that is not our JSON gets a general sentence. */
export async function readError(response: Response): Promise<ApiError> {
  try {
    const { error } = (await response.json()) as { error: { code: string; message: string } & Facts };
    return new ApiError(response.status, error.code, error.message, error);
  } catch {
    return new ApiError(response.status, "unknown", say("unknownError"));
  }
}

function csrfToken(): string {
  return /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
}
