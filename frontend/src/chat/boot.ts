/** What the page's template hands to the island. */
export interface Boot {
  conversation_id: string | null;
  user: { name: string; email: string; is_guest: boolean };
  plan: { key: string; name: string };
  /** Names of the plans by their key. */
  plans: Record<string, string>;
  /** Names of the models by their key. */
  models: Record<string, string>;
  /** How the assistant sounds to this person. */
  personality: string;
  urls: {
    pricing: string;
    settings: string;
    usage: string;
    personalization: string;
    logout: string;
    signup: string;
    login: string;
  };
}

export function readBoot(): Boot {
  const element = document.getElementById("chat-boot");
  return JSON.parse(element?.textContent ?? "null") as Boot;
}

/** How a model is called. */
export function modelName(boot: Boot, key: string): string {
  return boot.models[key] ?? key;
}

/** How a plan is called. */
export function planName(boot: Boot, key: string): string {
  return boot.plans[key] ?? key;
}
