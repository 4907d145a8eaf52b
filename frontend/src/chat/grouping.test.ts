import { expect, test } from "vitest";

import { groupByDay } from "./grouping";

const now = new Date(2026, 10, 18, 12);

function at(id: string, ...day: [number, number, number, number]): { id: string; title: string; updated_at: string } {
  return { id, title: id, updated_at: new Date(...day).toISOString() };
}

test("conversations stand under today, yesterday, the last days, and their month", () => {
  const groups = groupByDay(
    [
      at("a", 2026, 10, 18, 11),
      at("b", 2026, 10, 18, 0),
      at("c", 2026, 10, 17, 23),
      at("d", 2026, 10, 13, 9),
      at("e", 2026, 10, 3, 9),
      at("f", 2025, 10, 3, 9),
    ],
    now,
  );
  expect(groups.map((group) => [group.title, group.conversations.map(({ id }) => id)])).toEqual([
    ["Today", ["a", "b"]],
    ["Yesterday", ["c"]],
    ["The last 7 days", ["d"]],
    ["November", ["e"]],
    ["November 2025", ["f"]],
  ]);
});
