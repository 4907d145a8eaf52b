import { en } from "./words.en";
import { fr } from "./words.fr";

export type Words = Record<keyof typeof en, string>;
type Values = Record<string, string | number>;

const dictionaries: Record<string, Words> = { en, fr };

/** The page's language, as Django wrote it on <html>. */
export const language = document.documentElement.lang.slice(0, 2) === "fr" ? "fr" : "en";
const words: Words = dictionaries[language] ?? en;

/** The words for a key, with `{name}` filled in. */
export function say(key: keyof Words, values: Values = {}): string {
  return fill(words[key], values);
}

/** Like `say`, with the plural form of `count`: the dictionary parts the forms by “ | ”. */
export function sayCount(key: keyof Words, count: number, values: Values = {}): string {
  const [one = "", many = one] = words[key].split(" | ");
  const form = new Intl.PluralRules(language).select(count) === "one" ? one : many;
  return fill(form, { count: new Intl.NumberFormat(language).format(count), ...values });
}

function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
