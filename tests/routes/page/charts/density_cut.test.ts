import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { densityAt, densityCut } from "../../../../routes/page/app/charts/density_cut.ts";

/** Edges and counts of magnitudes in quarters of octaves. */
function histogramOf(magnitudes: readonly number[]) {
  const bin = (magnitude: number) => Math.floor(4 * Math.log2(magnitude) + 1e-9);
  const bins = magnitudes.filter((each) => each > 0).map(bin);
  const [first, last] = [Math.min(...bins), Math.max(...bins)];
  const edges = Array.from({ length: last - first + 2 }, (_, i) => 2 ** ((first + i) / 4));
  const counts = edges.slice(1).map((_, i) => bins.filter((each) => each === first + i).length);
  return { edges, counts };
}

const magnitude = fc.double({ min: 1e-6, max: 10, noNaN: true });
const vector = fc.tuple(fc.array(magnitude, { minLength: 1, maxLength: 200 }), fc.nat(50));
const density = fc.integer({ min: 1, max: 100 }).map((percent) => percent / 100);

Deno.test("the cut lies in the bin of the smallest magnitude that is kept exactly", () => {
  fc.assert(fc.property(vector, density, ([magnitudes, zeros], share) => {
    const { edges, counts } = histogramOf(magnitudes);
    const elements = magnitudes.length + zeros;
    const cut = densityCut(edges, counts, elements, share);
    const sorted = magnitudes.toSorted((a, b) => b - a);
    const kept = Math.ceil(share * elements - 1e-9);
    if (kept > magnitudes.length) return assertEquals(cut.magnitude, 0);
    const exact = sorted[kept - 1]!;
    assert(Math.abs(Math.log2(cut.magnitude / exact)) <= 0.25 + 1e-6, `${cut.magnitude} ${exact}`);
  }));
});

Deno.test("the share of the norm lies between those of the cuts at both edges of the bin", () => {
  fc.assert(fc.property(vector, density, ([magnitudes, zeros], share) => {
    const { edges, counts } = histogramOf(magnitudes);
    const cut = densityCut(edges, counts, magnitudes.length + zeros, share);
    const norm = (least: number) =>
      Math.sqrt(magnitudes.filter((each) => each >= least).reduce((sum, x) => sum + x * x, 0));
    const bin = 2 ** 0.25;
    // A square is known up to that of its bin's edges.
    const room = bin * bin;
    const [least, most] = [
      norm(cut.magnitude * bin) / norm(0),
      norm(cut.magnitude / bin) / norm(0),
    ];
    assert(cut.norm >= least / room - 1e-9, `${cut.norm} ${least}`);
    assert(cut.norm <= Math.min(1, most * room) + 1e-9, `${cut.norm} ${most}`);
  }));
});

Deno.test("a cut's magnitude has its density, more is kept at more density, and all at 1", () => {
  fc.assert(fc.property(vector, density, density, ([magnitudes, zeros], a, b) => {
    const { edges, counts } = histogramOf(magnitudes);
    const elements = magnitudes.length + zeros;
    const cut = densityCut(edges, counts, elements, a);
    if (cut.magnitude > 0) {
      assert(Math.abs(densityAt(edges, counts, elements, cut.magnitude) - a) < 1e-9);
    }
    const other = densityCut(edges, counts, elements, b);
    if (a < b) assert(cut.norm <= other.norm + 1e-9 && cut.magnitude >= other.magnitude);
    const all = densityCut(edges, counts, elements, 1);
    assert(Math.abs(all.norm - 1) < 1e-9, `${all.norm}`);
  }));
});

Deno.test("a bin from 0 on, zeros alone and no element at all are taken", () => {
  const tiny = densityCut([0, 1e-38, 2e-38], [4, 4], 8, 0.75);
  assert(tiny.magnitude > 0 && tiny.magnitude < 1e-38 && tiny.norm > 0.9);
  assertEquals(densityCut([], [], 10, 0.5), { magnitude: 0, elements: 0.5, norm: 0 });
  assertEquals(densityAt([], [], 0, 1), 0);
});
