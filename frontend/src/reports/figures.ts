import { language } from "../shared/i18n";

/** What the server writes beside a chart: numbers in the unit's major parts, one for each day. */
export interface ChartData {
  title: string;
  unit: string;
  kind: "line" | "bar" | "stack";
  days: string[];
  series: { name: string; values: (number | null)[] }[];
}

const CURRENCY = /^[a-z]{3}$/;
const MS = 1000;

export function readChart(text: string | null | undefined): ChartData | null {
  return text ? (JSON.parse(text) as ChartData) : null;
}

/** What staff wrote, by day, from the list on the page. */
export function notesOf(items: Iterable<HTMLElement>): Map<string, string[]> {
  const notes = new Map<string, string[]>();
  for (const item of items) {
    const day = item.dataset["day"] ?? "";
    notes.set(day, [...(notes.get(day) ?? []), item.querySelector("span")?.textContent ?? ""]);
  }
  return notes;
}

/** Days as seconds, then one column for each series: the shape that the library draws. */
export function columnsOf(chart: ChartData): [number[], ...(number | null)[][]] {
  const values = chart.series.map((one) => one.values);
  const drawn = chart.kind === "stack" ? stacked(values).reverse() : values;
  return [chart.days.map((day) => Date.parse(`${day}T00:00:00Z`) / MS), ...drawn];
}

/** Each value on top of those before it: what is above nothing upwards, what is below it downwards. */
export function stacked(series: (number | null)[][]): (number | null)[][] {
  const up: number[] = [];
  const down: number[] = [];
  return series.map((values) =>
    values.map((value, at) => {
      if (!value) return null;
      const side = value > 0 ? up : down;
      side[at] = (side[at] ?? 0) + value;
      return side[at] ?? null;
    }),
  );
}

/** The day that a key leads to, from the one that the pointer is at; null where the key means nothing here. */
export function stepped(key: string, at: number | null, length: number): number | null {
  if (key === "Home") return 0;
  if (key === "End") return length - 1;
  if (key === "ArrowLeft") return Math.max((at ?? length) - 1, 0);
  if (key === "ArrowRight") return Math.min((at ?? -1) + 1, length - 1);
  return null;
}

/** A figure in full: “$1,234.50”, “12.4 %”, “1,204”. */
export function formatFigure(value: number, unit: string): string {
  const digits: Intl.NumberFormatOptions = unit === "percent" ? { maximumFractionDigits: 1 } : {};
  return new Intl.NumberFormat(language, { ...styleOf(unit), ...digits }).format(value);
}

/** The same for an axis, where room is short: “$1.2K”. */
export function formatFigureShort(value: number, unit: string): string {
  const style: Intl.NumberFormatOptions = { ...styleOf(unit), notation: "compact", maximumSignificantDigits: 3 };
  return new Intl.NumberFormat(language, style).format(value);
}

function styleOf(unit: string): Intl.NumberFormatOptions {
  if (unit === "percent") return { style: "percent" };
  if (unit === "milliseconds") return { style: "unit", unit: "millisecond" };
  return CURRENCY.test(unit) ? { style: "currency", currency: unit.toUpperCase() } : {};
}
