/**
 * The report and its charts.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { chartFiles } from "../../../bench/atm/charts.ts";
import { reportPage } from "../../../bench/atm/document.ts";
import { drawChart } from "../../../bench/atm/svg_chart.ts";
import { madeStudies, PLAN } from "./made_study.ts";

/** Checks that tags nest, attributes are quoted and no number is missing; answers the elements' names. */
function checkXml(xml: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  const tag = /<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|<[^>]*>?/g;
  for (const [whole, closing, name, , empty] of xml.matchAll(tag)) {
    assert(name !== undefined, `not a tag: ${whole}`);
    if (closing) assertEquals(open.pop(), name);
    else {
      names.push(name);
      if (!empty) open.push(name);
    }
  }
  assertEquals(open, []);
  assert(!/&(?!amp;|lt;|gt;|quot;)/.test(xml), "an ampersand stands alone");
  assert(!/NaN|Infinity|undefined/.test(xml), "a number is missing");
  return names;
}

Deno.test("charts are well-formed and name both colour schemes", () => {
  const charts = chartFiles(madeStudies(), PLAN);
  assertEquals(charts.map(({ file }) => file), [
    "cnn-accuracy.svg",
    "cnn-budget.svg",
    "cnn-cosine.svg",
    "cnn-experts.svg",
    "cnn-drift.svg",
    "cnn-post-hoc.svg",
  ]);
  for (const { svg } of charts) {
    const names = checkXml(svg);
    assert(names.includes("polyline"));
    assertStringIncludes(svg, "prefers-color-scheme: dark");
  }
});

Deno.test("names are escaped, and points lie where their numbers say", () => {
  const svg = drawChart({
    title: `a < b & "c"`,
    x: "x",
    y: "y",
    series: [{ name: "<line>", points: [{ x: 0, y: 0 }, { x: 1, y: 10 }, { x: 2, y: 5 }] }],
  });
  checkXml(svg);
  const [, line] = /<polyline class="line" points="([^"]*)"/.exec(svg)!;
  const places = line!.split(" ").map((place) => place.split(",").map(Number));
  const [first, second, third] = places as [number[], number[], number[]];
  // Evenly spaced to the right; the middle of the values is in the middle of the heights.
  assertEquals(second[0]! - first[0]!, third[0]! - second[0]!);
  assert(Math.abs(third[1]! - (first[1]! + second[1]!) / 2) < 0.11);
  assert(second[1]! < first[1]!);
});

Deno.test("an axis of rounds has whole numbers only", () => {
  const points = [{ x: 1, y: 0.5 }, { x: 2, y: 0.75 }, { x: 4, y: 0.6 }];
  const svg = drawChart({ title: "t", x: "round", y: "y", series: [{ name: "s", points }] });
  const ticks = [...svg.matchAll(/text-anchor="middle">([\d.]+)</g)].map(([, tick]) => tick);
  assertEquals(ticks, ["1", "2", "3", "4"]);
});

Deno.test("a chart needs points", () => {
  const nothing = { title: "t", x: "x", y: "y", series: [{ name: "none", points: [] }] };
  assertThrows(() => drawChart(nothing), RangeError);
});

Deno.test("the report has all rows, says what is missing and where ATM loses", () => {
  const results = madeStudies();
  const page = reportPage({
    results,
    plan: PLAN,
    charts: chartFiles(results, PLAN),
    folder: "atm",
    seconds: 120,
    cores: 2,
  });
  assertStringIncludes(page, "| C8 |");
  assertStringIncludes(page, "| TSV-M | not available yet |");
  assertStringIncludes(page, "**Ahead of ATM (B × 1)**: joint at B = 4");
  assertStringIncludes(page, "](atm/cnn-drift.svg)");
  assert(!/NaN|undefined|Infinity/.test(page));
  // Every table's rows have as many cells as its head.
  for (const table of page.match(/(?:^\|.*\n)+/gm) ?? []) {
    const widths = table.trim().split("\n").map((line) => line.split("|").length);
    assertEquals(new Set(widths).size, 1, table);
  }
});

Deno.test("a report of an interrupted experiment says what is missing", () => {
  const page = (seeds: number) =>
    reportPage({
      results: madeStudies({}, seeds),
      plan: { ...PLAN, networks: ["cnn"] },
      charts: [],
      folder: "atm",
      seconds: 1,
      cores: 2,
    });
  assertStringIncludes(page(2), "**Not finished**: 1 of 3");
  assert(!page(3).includes("Not finished"));
  assertStringIncludes(page(3), "cnn with 3 seeds");
});

Deno.test("a quick report says so", () => {
  const plan = { ...PLAN, quick: true };
  const report = {
    results: madeStudies({}, 1),
    plan,
    charts: [],
    folder: "atm",
    seconds: 1,
    cores: 2,
  };
  assertStringIncludes(reportPage(report), "This is the quick form");
});
