import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { countOf, formatBytes } from "../../../../routes/page/app/parts/format_bytes.ts";
import { formatDuration } from "../../../../routes/page/app/parts/format_duration.ts";
import {
  rangeFault,
  rangeText,
  sliderRange,
} from "../../../../routes/page/app/parts/number_range.ts";
import { rateMeter } from "../../../../routes/page/app/parts/rate.ts";
import { parentOf } from "../../../../routes/page/app/parts/focus_path.ts";
import { windowAt } from "../../../../routes/page/app/parts/use_window.ts";

Deno.test("formatBytes() gives three digits and the unit in which they are the fewest", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1 kB"],
    [1234, "1.23 kB"],
    [999_499, "999 kB"],
    [999_500, "1 MB"],
    [5_000_000_000, "5 GB"],
    [2e18, "2000 PB"],
  ];
  for (const [bytes, text] of cases) assertEquals(formatBytes(bytes), text);
  fc.assert(fc.property(fc.nat({ max: 1e15 }), (bytes) => {
    const [digits, unit] = formatBytes(bytes).split(" ");
    const scale = 1000 ** ["B", "kB", "MB", "GB", "TB", "PB"].indexOf(unit!);
    return Math.abs(Number(digits) * scale - bytes) <= 0.00501 * bytes;
  }));
  assertEquals(countOf(1, "tensor"), "1 tensor");
  assertEquals(countOf(12345, "pass", "passes"), "12,345 passes");
});

Deno.test("formatDuration() tells the two largest units and never 60 of one", () => {
  const cases: [number, string][] = [
    [0, "0 s"],
    [0.34, "0.3 s"],
    [9.97, "10 s"],
    [59.6, "1 min"],
    [61, "1 min 1 s"],
    [3599.7, "1 h"],
    [3660, "1 h 1 min"],
    [86_399, "1 d"],
    [90_000, "1 d 1 h"],
    [Infinity, "unknown"],
    [-1, "unknown"],
  ];
  for (const [seconds, text] of cases) assertEquals(formatDuration(seconds), text);
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e7, noNaN: true }),
      (seconds) => !/\b60 (?:s|min)|\b24 h/.test(formatDuration(seconds)),
    ),
  );
});

Deno.test("a meter tells the speed of the last seconds and the time left", () => {
  const meter = rateMeter();
  assertEquals(meter(0, 1000, 0), {});
  assertEquals(meter(100, 1000, 1), { perSecond: 100, left: 9 });
  for (let second = 2; second <= 20; second++) meter(100 + 10 * (second - 1), 1000, second);
  assertEquals(meter(300, 1000, 21), { perSecond: 10, left: 70 });
  // What stands still has no time left that could be told.
  for (let second = 22; second <= 40; second++) meter(300, 1000, second);
  assertEquals(meter(300, 1000, 41), { perSecond: 0 });
  // The next step begins at nought and has a speed of its own.
  assertEquals(meter(0, undefined, 42), {});
  assertEquals(meter(50, undefined, 43), { perSecond: 50 });
});

Deno.test("a number outside of its range is told with the range", () => {
  assertEquals(rangeFault(0.5, { minimum: 0, maximum: 1 }), undefined);
  assertEquals(
    rangeFault(1.5, { minimum: 0, maximum: 1 }),
    "Must be a number in [0, 1]: current value is 1.5",
  );
  assertEquals(
    rangeFault(0, { exclusiveMinimum: 0 }),
    "Must be a number above 0: current value is 0",
  );
  assert(rangeFault(1.5, { integer: true }) !== undefined);
  assert(rangeFault(NaN, {}) !== undefined);
  assertEquals(rangeText({ exclusiveMinimum: 0, maximum: 1 }), "a number in (0, 1]");
  assertEquals(rangeText({ minimum: 1, integer: true }), "a whole number of at least 1");
});

Deno.test("what a slider offers lies in the range, holds the default, and is offered for no epsilon", () => {
  assertEquals(sliderRange({ minimum: 0, maximum: 1 }, 1), { from: 0, to: 1, step: 0.01 });
  assertEquals(sliderRange({}, 1)?.to, 2);
  assertEquals(sliderRange({ exclusiveMinimum: 0 }, 1e-8), undefined);
  const bound = fc.double({ min: -100, max: 100, noNaN: true });
  fc.assert(fc.property(
    fc.record({
      minimum: fc.option(bound, { nil: undefined }),
      span: fc.option(fc.double({ min: 0.01, max: 100, noNaN: true }), { nil: undefined }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      isOpen: fc.boolean(),
    }),
    ({ minimum, span, share, isOpen }) => {
      const maximum = minimum === undefined || span === undefined ? undefined : minimum + span;
      const usual = (minimum ?? 0) + share * (span ?? 3);
      const low = minimum === undefined ? {} : isOpen ? { exclusiveMinimum: minimum } : { minimum };
      const range = { ...low, ...(maximum === undefined ? {} : { maximum }) };
      const slider = sliderRange(range, usual);
      if (!slider) return Math.abs(usual) < 0.005;
      const { from, to, step } = slider;
      return step > 0 && from <= to && rangeFault(from, range) === undefined &&
        rangeFault(to, range) === undefined &&
        (isOpen || usual >= from - 1e-9) && usual <= to + 1e-9;
    },
  ));
});

Deno.test("a path leads to the one above it, step by step", () => {
  const steps = [];
  for (let path = 'models[1].parameters["a.b"].density'; path !== ""; path = parentOf(path)) {
    steps.push(path);
  }
  assertEquals(steps.slice(1), [
    'models[1].parameters["a.b"]',
    "models[1].parameters",
    "models[1]",
    "models",
  ]);
});

Deno.test("only rows that are seen, and a few more, are drawn", () => {
  assertEquals(windowAt(0, 300, 30, 10_000), { first: 0, end: 20 });
  assertEquals(windowAt(30_000, 300, 30, 10_000), { first: 990, end: 1020 });
  fc.assert(fc.property(fc.nat(1e7), fc.nat(3000), fc.nat(1e5), (top, height, count) => {
    const { first, end } = windowAt(top, height, 30, count);
    return first >= 0 && end <= count && end - first <= height / 30 + 22;
  }));
});
