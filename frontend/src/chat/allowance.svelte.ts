import { ApiError, type Balance, listBalances, listModels, type Model } from "../shared/api";

const REMEMBERED = "causerie.model";
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The models a person may choose from, and what is left of each. */
export class Allowance {
  models = $state.raw<Model[]>([]);
  balances = $state.raw<Balance[]>([]);
  plan = $state.raw<{ key: string; name: string }>({ key: "", name: "" });
  #chosen = $state<string | null>(null);

  model = $derived.by(() => {
    const included = this.models.filter((model) => model.is_included);
    const named = (wanted: string | null): Model | undefined => included.find(({ key }) => key === wanted);
    const preferred = included.find((model) => model.is_default);
    return named(this.#chosen) ?? preferred ?? named(localStorage.getItem(REMEMBERED)) ?? included[0] ?? null;
  });
  /** Messages left for the chosen model: the tightest of the limits that count them. */
  balance = $derived(tightest(this.balances, this.model?.key ?? null));

  /** Who answers when that is used up: the smaller model with its own balance; null when nobody does, or all is well. */
  fallback = $derived.by(() => {
    const model = this.balance?.left === 0 ? this.balance.fallback_model : null;
    return model === null ? null : { model, balance: tightest(this.balances, model) };
  });

  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(plan: { key: string; name: string }) {
    this.plan = plan;
  }

  choose(key: string): void {
    this.#chosen = key;
    localStorage.setItem(REMEMBERED, key);
  }

  async load(): Promise<void> {
    await Promise.all([this.refresh(), quietly(async () => void (this.models = (await listModels()).models))]);
  }

  /** Ask again what is left; and once more when the window of a limit ends. */
  async refresh(): Promise<void> {
    await quietly(async () => {
      const { plan, balances } = await listBalances();
      this.plan = plan;
      this.balances = balances;
    });
    clearTimeout(this.#timer);
    const resetsAt = this.balance?.resets_at;
    if (!resetsAt) return;
    const wait = Math.max(new Date(resetsAt).getTime() - Date.now(), 0) + 1000;
    this.#timer = setTimeout(() => void this.refresh(), Math.min(wait, LONGEST_TIMER_MS));
  }
}

export function tightest(balances: readonly Balance[], model: string | null): Balance | null {
  const counting = balances.filter(
    ({ meter, models }) => meter === "messages" && (models.length === 0 || (model !== null && models.includes(model))),
  );
  return counting.reduce<Balance | null>((least, next) => (room(next) < room(least) ? next : (least ?? next)), null);
}

function room(balance: Balance | null): number {
  return balance?.left ?? Infinity;
}

/** What is left is a courtesy: when it cannot be had, the chat goes on without it. */
async function quietly(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}
