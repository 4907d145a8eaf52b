import { language, say } from "./i18n";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Until when something lasts: “16:40” today, “tomorrow, 09:10”, else with its day. */
export function lastMoment(iso: string, now: Date = new Date()): string {
  const moment = new Date(iso);
  const time = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" }).format(moment);
  const days = daysBetween(now, moment);
  if (days <= 0) return time;
  if (days === 1) return say("tomorrow", { time });
  return say("day", {
    time,
    day: new Intl.DateTimeFormat(language, { day: "numeric", month: "short" }).format(moment),
  });
}

/** When something comes back: “at 16:40” today, “tomorrow at 09:10”, else with its day. */
export function comingMoment(iso: string, now: Date = new Date()): string {
  const moment = new Date(iso);
  const time = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" }).format(moment);
  const days = daysBetween(now, moment);
  if (days <= 0) return say("atTime", { time });
  if (days === 1) return say("tomorrowAt", { time });
  return say("onDay", {
    time,
    day: new Intl.DateTimeFormat(language, { day: "numeric", month: "short" }).format(moment),
  });
}

/** Whole calendar days from one moment to another, in the person's zone. */
export function daysBetween(from: Date, to: Date): number {
  const start = (moment: Date): number => new Date(moment.getFullYear(), moment.getMonth(), moment.getDate()).getTime();
  return Math.round((start(to) - start(from)) / DAY_MS);
}

/** The same moment in UTC, for who hovers over a time. */
export function inUtc(iso: string): string {
  const format = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
  return `${format.format(new Date(iso))} UTC`;
}

/** A moment in the person's zone, as fully as asked. */
export function localMoment(iso: string, kind: "datetime" | "date" | "time"): string {
  const style: Intl.DateTimeFormatOptions =
    kind === "time"
      ? { timeStyle: "short" }
      : kind === "date"
        ? { dateStyle: "long" }
        : { dateStyle: "long", timeStyle: "short" };
  return new Intl.DateTimeFormat(language, style).format(new Date(iso));
}
