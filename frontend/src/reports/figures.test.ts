import { expect, test } from "vitest";

import { columnsOf, formatFigure, formatFigureShort, notesOf, stacked, stepped } from "./figures";

test("figures show their unit", () => {
  expect(formatFigure(1234.5, "usd")).toBe("$1,234.50");
  expect(formatFigure(8, "eur")).toBe("€8.00");
  expect(formatFigure(1204, "count")).toBe("1,204");
  expect(formatFigure(0.124, "percent")).toBe("12.4%");
});

test("an axis is brief", () => {
  expect(formatFigureShort(12_500, "usd")).toBe("$12.5K");
  expect(formatFigureShort(0, "usd")).toBe("$0");
  expect(formatFigureShort(2_000_000, "count")).toBe("2M");
});

test("days become the first column", () => {
  const series = [{ name: "MRR", values: [0, 8] }];
  const chart = { title: "MRR", unit: "usd", kind: "line", days: ["2026-11-01", "2026-11-02"], series } as const;
  expect(columnsOf({ ...chart, days: [...chart.days] })).toEqual([
    [1793491200, 1793577600],
    [0, 8],
  ]);
});

test("keys lead from day to day and stay within them", () => {
  expect([stepped("ArrowRight", null, 3), stepped("ArrowRight", 2, 3), stepped("ArrowLeft", null, 3)]).toEqual([
    0, 2, 2,
  ]);
  expect([stepped("ArrowLeft", 0, 3), stepped("Home", 2, 3), stepped("End", 0, 3)]).toEqual([0, 0, 2]);
  expect(stepped("Tab", 1, 3)).toBeNull();
});

test("notes are found by their day", () => {
  const list = document.createElement("ul");
  list.innerHTML = "<li data-day='2026-03-01'><span>Launch</span></li><li data-day='2026-03-01'><span>Sale</span></li>";
  expect(notesOf(list.querySelectorAll("li")).get("2026-03-01")).toEqual(["Launch", "Sale"]);
});

test("what rises stands on what rises, and what falls hangs below what falls", () => {
  expect(
    stacked([
      [5, 0],
      [2, 3],
      [-4, null],
      [-1, -2],
    ]),
  ).toEqual([
    [5, null],
    [7, 3],
    [-4, null],
    [-5, -2],
  ]);
});
