import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  apart,
  bands,
  closeAxis,
  cosineReach,
  logAxis,
  logValueAt,
} from "../../../../routes/page/app/charts/scale.ts";

const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });

Deno.test("a close axis holds every value between its ends, with ticks that are evenly apart", () => {
  fc.assert(fc.property(fc.array(value, { maxLength: 30 }), (values) => {
    const axis = closeAxis(values, [200, 0]);
    for (const each of values) {
      const place = axis.at(each);
      assert(place >= -1e-6 && place <= 200 + 1e-6, `${each} at ${place}`);
    }
    assert(axis.ticks.length >= 2 && axis.ticks.length <= 13, `${axis.ticks}`);
    const steps = axis.ticks.slice(1).map((tick, i) => tick - axis.ticks[i]!);
    const size = Math.max(...axis.ticks.map(Math.abs));
    for (const step of steps) assert(Math.abs(step - steps[0]!) <= 1e-9 * size + 1e-12, `${steps}`);
  }));
  assertEquals(closeAxis([0.71, 0.94], [100, 0]).ticks, [0.7, 0.75, 0.8, 0.85, 0.9, 0.95]);
});

Deno.test("a logarithmic axis leads from values to places and back, with powers of ten as ticks", () => {
  const positive = fc.integer({ min: -100, max: 100 }).map((power) => 2 ** (power / 4));
  fc.assert(
    fc.property(positive, positive, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, t) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b) * 2];
      const axis = logAxis(low, high, [50, 650]);
      const place = 50 + 600 * t;
      assert(Math.abs(axis.at(logValueAt(axis, place)) - place) < 1e-6);
      assertEquals([axis.at(low), axis.at(high)].map(Math.round), [50, 650]);
      for (const tick of axis.ticks) {
        assert(axis.at(tick) >= 49 && axis.at(tick) <= 651);
        assert(/^1(?:e[+-]?\d+|0*)$|^0\.0*1$/.test(String(tick)), `${tick}`);
      }
    }),
  );
});

Deno.test("labels that would touch are moved apart, in their order, within their span", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 12 }), (heights) => {
      const places = apart(heights, 15, [0, 200]);
      const order = heights.map((_, i) => i).sort((a, b) => heights[a]! - heights[b]!);
      order.slice(1).forEach((i, k) => assert(places[i]! - places[order[k]!]! >= 15 - 1e-9));
      for (const place of places) assert(place >= 0 && place <= 200);
    }),
  );
  assertEquals(apart([10, 100], 15, [0, 200]), [10, 100]);
});

Deno.test("bands cover their span, and the scale of cosines holds all of them", () => {
  assertEquals([0, 1].map(bands(2, [0, 100]).at), [25, 75]);
  assertEquals([[], [null, 0.02], [-0.3], [0.6, 1]].map(cosineReach), [0.1, 0.1, 0.5, 1]);
});
