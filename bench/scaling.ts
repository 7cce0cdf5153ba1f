/**
 * How time and memory grow with the checkpoints: `deno task bench:scaling`.
 *
 * Options: `--parameters 50M,220M,880M,4G --methods linear,ties --layers 24 --folder .bench --json FILE`. A base and one model are
 * merged from files; the result is thrown away, so that no disk is measured. Every size has a service of its own, which
 * merges once to warm up, and then at least twice and for three seconds: the median counts, and the highest peak of all.
 * The exponent is that of time over elements, fitted through all sizes; 1 is linear growth.
 *
 * @module
 */
import { parseCount } from "./count.ts";
import { type MergeRun, runMerge } from "./clients.ts";
import { startServer } from "./server.ts";
import { syntheticTensors, writeSynthetic } from "./synthetic.ts";

interface Measured {
  readonly method: string;
  readonly elements: number;
  readonly seconds: number;
  /** MB. */
  readonly peak: number;
}

function option(name: string, fallback: string): string {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? fallback : Deno.args[at + 1] ?? fallback;
}

const RECIPES: Readonly<Record<string, Record<string, unknown>>> = {
  linear: { models: [{ model: "m0" }, { model: "m1" }], parameters: { weight: 0.5 } },
  ties: {
    base_model: "m0",
    models: [{ model: "m1" }],
    parameters: { weight: 0.3, density: 0.3 },
  },
  dare_ties: {
    base_model: "m0",
    models: [{ model: "m1" }],
    parameters: { weight: 0.3, density: 0.3 },
  },
};

/** Slope of the logarithms, by least squares. */
export function exponent(points: readonly (readonly [number, number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const mean = (axis: 0 | 1) => logs.reduce((sum, point) => sum + point[axis], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  const above = logs.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return above / logs.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}

/** Seconds of merges that are measured at least. */
const MEASURED = 3;

function median(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

async function measure(run: Omit<MergeRun, "origin" | "ranges">, elements: number) {
  const server = await startServer({ AMALGAM_DATA: "memory:", AMALGAM_FILES: run.folder });
  try {
    const merge = () => runMerge("path", { ...run, origin: server.origin, ranges: "" });
    await merge();
    const times: number[] = [];
    for (let measured = 0; times.length < 2 || measured < MEASURED;) {
      const time = await merge();
      times.push(time);
      measured += time;
    }
    const method = String(run.recipe["merge_method"]);
    return { method, elements, seconds: median(times), peak: Math.round(server.peak()) };
  } finally {
    await server.stop();
  }
}

if (import.meta.main) {
  const folder = option("folder", ".bench");
  const layers = Number(option("layers", "")) || undefined;
  const methods = option("methods", "linear,ties").split(",");
  await Deno.mkdir(folder, { recursive: true });
  const real = await Deno.realPath(folder);
  const results: Measured[] = [];
  console.log(`${"method".padEnd(14)}${"MB each".padStart(9)}${"s".padStart(9)}  peak MB`);
  for (const size of option("parameters", "50M,220M,880M,4G").split(",")) {
    const tensors = syntheticTensors(parseCount(size), "BF16", layers);
    const elements = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    const names = ["m0", "m1"].map((name) => [name, `scaling-${name}.safetensors`] as const);
    try {
      for (const [i, [, file]] of names.entries()) {
        await writeSynthetic(`${real}/${file}`, tensors, i);
      }
      for (const method of methods) {
        const found = await measure({
          recipe: { merge_method: method, ...RECIPES[method] },
          files: Object.fromEntries(names),
          folder: real,
          output: "/dev/null",
        }, elements);
        results.push(found);
        console.log(
          method.padEnd(14) + (elements * 2 / 1e6).toFixed(0).padStart(9) +
            found.seconds.toFixed(2).padStart(9) + String(found.peak).padStart(9),
        );
      }
    } finally {
      for (const [, file] of names) await Deno.remove(`${real}/${file}`).catch(() => {});
    }
  }
  for (const method of methods) {
    const points = results.filter((each) => each.method === method);
    const fitted = exponent(points.map(({ elements, seconds }) => [elements, seconds]));
    console.log(`${method}: time grows with the elements to the power of ${fitted.toFixed(3)}`);
  }
  const json = option("json", "");
  if (json !== "") await Deno.writeTextFile(json, JSON.stringify(results, null, 2));
}
