import "./chart.css";
import "uplot/dist/uPlot.min.css";

import uPlot from "uplot";

import { columnsOf, type ChartData, formatFigure, formatFigureShort, notesOf, readChart, stepped } from "./figures";
import { language } from "../shared/i18n";

const HEIGHT_PX = 144;
const DAY_S = 86_400;
const SERIES_COLOURS = 5; // --series-1 … in the page's styles
const WHOLE_STEPS = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();

const notes = notesOf(document.querySelectorAll<HTMLElement>("#annotations [data-day]"));

for (const place of document.querySelectorAll<HTMLElement>("[data-chart]")) {
  const chart = readChart(document.getElementById(place.dataset["chart"] ?? "")?.textContent);
  if (chart) hang(place, chart);
}

/** Draw a chart into its place, and again when the place or the theme changes. */
function hang(place: HTMLElement, chart: ChartData): void {
  place.classList.add("drawn-chart");
  place.setAttribute("role", "group");
  place.setAttribute("aria-label", chart.title);
  place.tabIndex = 0;
  if (chart.kind === "stack") place.append(legendOf(place, chart));
  let plot = draw(place, chart);
  place.addEventListener("keydown", (event) => {
    const index = stepped(event.key, plot.cursor.idx ?? null, chart.days.length);
    if (index === null) return;
    event.preventDefault();
    plot.setCursor({ left: plot.valToPos(plot.data[0][index] ?? 0, "x"), top: 0 });
  });
  new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT_PX })).observe(place);
  new MutationObserver(() => {
    plot.destroy();
    plot = draw(place, chart);
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
}

function draw(place: HTMLElement, chart: ChartData): uPlot {
  const colour = coloursOf(place);
  const isBar = chart.kind !== "line";
  const readout = readoutOf(place);
  const bars = uPlot.paths.bars?.({ size: [0.7, 28], radius: 0.15 });
  const options: uPlot.Options = {
    width: place.clientWidth,
    height: HEIGHT_PX,
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
    padding: [8, 20, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    legend: { show: false },
    hooks: { setCursor: [(plot) => tell(readout, plot, chart)], drawClear: [(plot) => mark(plot, chart, colour)] },
    scales: { x: { time: true, ...(isBar ? { range: widened } : {}) }, y: { range: upFromZero } },
    axes: [dayAxis(colour), figureAxis(colour, chart)],
    series: [
      {},
      ...drawnSeries(chart).map(({ name, index }) => {
        const stroke = chart.kind === "stack" ? colour.series(index) : index === 0 ? colour.accent : colour.muted;
        return {
          label: name,
          stroke,
          width: isBar ? 0 : 2,
          fill: isBar ? stroke : faded(stroke),
          points: { show: false },
          ...(isBar && bars ? { paths: bars } : {}),
        };
      }),
    ],
  };
  return new uPlot(options, columnsOf(chart), place);
}

/** The names of the series as they are drawn: of a stack the tallest bars first, so that the others stand before them. */
function drawnSeries(chart: ChartData): { name: string; index: number }[] {
  const named = chart.series.map(({ name }, index) => ({ name, index }));
  return chart.kind === "stack" ? named.reverse() : named;
}

/** Which colour is what: beside the words, not instead of them. */
function legendOf(place: HTMLElement, chart: ChartData): HTMLElement {
  const colour = coloursOf(place);
  const legend = document.createElement("ul");
  legend.className = "legend";
  chart.series.forEach(({ name }, index) => {
    const item = document.createElement("li");
    const key = document.createElement("i");
    key.style.background = colour.series(index);
    item.append(key, name);
    legend.append(item);
  });
  return legend;
}

/** The line below a chart that says what the pointer is at. */
function readoutOf(place: HTMLElement): HTMLElement {
  const found = place.querySelector<HTMLElement>(".readout");
  if (found) return found;
  const readout = document.createElement("p");
  readout.className = "readout";
  readout.setAttribute("aria-live", "polite");
  place.append(readout);
  return readout;
}

function tell(readout: HTMLElement, plot: uPlot, chart: ChartData): void {
  const index = plot.cursor.idx ?? null;
  const day = index === null ? undefined : chart.days[index];
  if (index === null || day === undefined) {
    readout.textContent = "";
    return;
  }
  const figures = chart.series.map(({ name, values }) => {
    const value = values[index] ?? null;
    const figure = value === null ? "–" : formatFigure(value, chart.unit);
    return chart.series.length > 1 ? `${name} ${figure}` : figure;
  });
  const named = dayName(Date.parse(`${day}T00:00:00Z`) / 1000);
  readout.textContent = [named, ...figures, ...(notes.get(day) ?? [])].join(" · ");
}

/** A dashed line on each day that somebody wrote on; the words are in the list and below the pointer. */
function mark(plot: uPlot, chart: ChartData, colour: Colours): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = colour.muted;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const day of chart.days.filter((one) => notes.has(one))) {
    const x = plot.valToPos(Date.parse(`${day}T00:00:00Z`) / 1000, "x", true);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

interface Colours {
  series: (index: number) => string;
  accent: string;
  muted: string;
  line: string;
  font: string;
}

/** The page's own colours, so that charts follow both themes. */
function coloursOf(place: HTMLElement): Colours {
  const style = getComputedStyle(place);
  const read = (name: string): string => style.getPropertyValue(name).trim() || style.color;
  const series = (index: number): string => read(`--series-${(index % SERIES_COLOURS) + 1}`);
  return { series, accent: read("--accent"), muted: read("--muted"), line: read("--line"), font: style.fontFamily };
}

function faded(colour: string): string {
  return `color-mix(in oklab, ${colour} 12%, transparent)`;
}

function dayAxis(colour: Colours): uPlot.Axis {
  return {
    stroke: colour.muted,
    font: `12px ${colour.font}`,
    grid: { show: false },
    ticks: { show: false },
    space: 64,
    size: 28,
    incrs: [1, 2, 3, 7, 14, 30, 90, 365].map((days) => days * DAY_S),
    values: (_plot, days) => days.map((at) => dayName(at)),
  };
}

function figureAxis(colour: Colours, chart: ChartData): uPlot.Axis {
  return {
    stroke: colour.muted,
    font: `12px ${colour.font}`,
    grid: { stroke: colour.line, width: 1 },
    ticks: { show: false },
    space: 36,
    size: (_plot, labels: string[] | null) => 16 + 7 * Math.max(3, ...(labels ?? []).map((label) => label.length)),
    ...(chart.unit === "count" ? { incrs: WHOLE_STEPS } : {}),
    values: (_plot, values) => values.map((value) => formatFigureShort(value, chart.unit)),
  };
}

function dayName(at: number): string {
  const format = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone: "UTC" });
  return format.format(at * 1000);
}

function upFromZero(_plot: uPlot, least: number, most: number): uPlot.Range.MinMax {
  if (most <= 0 && least >= 0) return [0, 1];
  const room = (Math.max(most, 0) - Math.min(least, 0)) * 0.08;
  return [least < 0 ? least - room : 0, Math.max(most, 0) + room];
}

function widened(_plot: uPlot, first: number, last: number): uPlot.Range.MinMax {
  return [first - DAY_S / 2, last + DAY_S / 2];
}
