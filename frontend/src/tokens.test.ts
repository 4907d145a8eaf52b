import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

type Shade = [lightness: number, chroma: number, hue: number];

const css = readFileSync("src/tokens.css", "utf8");
const PAIR = /--color-([\w-]+): light-dark\(oklch\(([\d. ]+)\), oklch\(([\d. ]+)\)\);/g;
const tokens = new Map(
  [...css.matchAll(PAIR)].map(([, name = "", light = "", dark = ""]) => [
    name,
    { light: read(light), dark: read(dark) },
  ]),
);

function read(text: string): Shade {
  const [lightness = 0, chroma = 0, hue = 0] = text.split(" ").map(Number);
  return [lightness, chroma, hue];
}

/** Relative luminance as WCAG counts it, from OKLCH by way of linear sRGB. */
function luminance([lightness, chroma, hue]: Shade): number {
  const angle = (hue * Math.PI) / 180;
  const a = chroma * Math.cos(angle);
  const b = chroma * Math.sin(angle);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const bounded = (part: number): number => Math.min(Math.max(part, 0), 1);
  const red = bounded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
  const green = bounded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
  const blue = bounded(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string, theme: "light" | "dark"): number {
  const [first, second] = [one, other].map((name) => luminance(tokens.get(name)?.[theme] ?? [0, 0, 0]));
  const [dark = 0, light = 0] = [first ?? 0, second ?? 0].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

const GROUNDS = ["paper", "surface", "sunken"];
const TEXT = [
  ...["ink", "muted", "accent", "danger"].flatMap((text) => GROUNDS.map((ground) => [text, ground])),
  ...["comment", "keyword", "string", "number", "name"].map((kind) => [`code-${kind}`, "sunken"]),
  ...["danger", "warning", "success", "accent"].flatMap((state) => [
    [state, `${state}-soft`],
    ["ink", `${state}-soft`],
  ]),
  ["warning", "surface"],
  ["on-accent", "accent"],
  ["on-accent", "accent-strong"],
  ["on-danger", "danger"],
] as [string, string][];

test.each(TEXT)("%s can be read on %s in both themes", (text, ground) => {
  expect(contrast(text, ground, "light")).toBeGreaterThanOrEqual(4.5);
  expect(contrast(text, ground, "dark")).toBeGreaterThanOrEqual(4.5);
});

test.each(["paper", "surface"])("the edge of a control stands out from %s", (ground) => {
  expect(contrast("edge", ground, "light")).toBeGreaterThanOrEqual(3);
  expect(contrast("edge", ground, "dark")).toBeGreaterThanOrEqual(3);
});
