import type { Conversation } from "../shared/api";
import { language, say } from "../shared/i18n";
import { daysBetween } from "../shared/moments";

export interface Group {
  title: string;
  conversations: Conversation[];
}

const A_WEEK = 7;

/** Conversations under the day, the week or the month of their last change; they come newest first. */
export function groupByDay(conversations: readonly Conversation[], now: Date): Group[] {
  const groups: Group[] = [];
  for (const conversation of conversations) {
    const title = dayTitle(new Date(conversation.updated_at), now);
    const last = groups.at(-1);
    if (last?.title === title) last.conversations.push(conversation);
    else groups.push({ title, conversations: [conversation] });
  }
  return groups;
}

function dayTitle(day: Date, now: Date): string {
  const age = daysBetween(day, now);
  if (age <= 0) return say("today");
  if (age === 1) return say("yesterday");
  if (age < A_WEEK) return say("lastDays");
  const year: Intl.DateTimeFormatOptions = day.getFullYear() === now.getFullYear() ? {} : { year: "numeric" };
  const month = new Intl.DateTimeFormat(language, { month: "long", ...year }).format(day);
  return month.charAt(0).toUpperCase() + month.slice(1);
}
