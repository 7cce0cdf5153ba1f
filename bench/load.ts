/**
 * Load: many small merges and a few large ones at once against a service of its own on 127.0.0.1.
 *
 * `deno task bench:load [--seconds 300] [--small 200] [--large 4] [--megabytes 500] [--pause 0]`
 *
 * First the small merge alone, one after the other: its idle median. Then a warm-up of every kind of work, after
 * which the resident set counts as the one before. Then `small` clients and `large` clients at once, each with its next
 * merge as soon as the last byte of the one before is there (and after `pause` milliseconds); it ends by itself after
 * `seconds`. Last, the resident set once the service is idle again.
 *
 * Small merges average three stored checkpoints of 1 MB, so that the client costs little; large ones add a task
 * vector between files of the given size, and curl throws the result away.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type MeasuredServer, startServer } from "./server.ts";
import { checkpoint } from "./small.ts";
import { syntheticTensors, writeSynthetic } from "./synthetic.ts";

/** What is run. */
export interface LoadOptions {
  readonly seconds: number;
  /** Clients with small merges. */
  readonly small: number;
  /** Clients with large ones. */
  readonly large: number;
  /** Bytes of a large checkpoint, in millions. */
  readonly megabytes: number;
  /** Milliseconds that a client with small merges waits before its next one; up to twice as long, on average so long. */
  readonly pause: number;
}

/** What was measured; times in milliseconds, memory in MB. */
export interface LoadReport {
  readonly options: LoadOptions;
  readonly idle_median: number;
  readonly loaded: {
    readonly count: number;
    readonly median: number;
    readonly p99: number;
    readonly longest: number;
  };
  /** The small clients as they are, without the large ones beside them. */
  readonly alone: { readonly count: number; readonly median: number; readonly p99: number };
  /** Loaded p99 by idle median. */
  readonly ratio: number;
  /** Loaded p99 by the median alone: what the large merges do to the small ones. */
  readonly ratio_to_alone: number;
  readonly large: { readonly count: number; readonly median_seconds: number };
  /** Failures by their text. */
  readonly errors: Readonly<Record<string, number>>;
  readonly memory: {
    readonly started: number;
    readonly before: number;
    readonly peak: number;
    readonly after: number;
  };
}

const IDLE_MERGES = 100;
/** Seconds in which memory may settle. */
const SETTLING = 20;

/** Runs the load; everything that it made is gone afterwards. */
export async function measureLoad(options: LoadOptions): Promise<LoadReport> {
  const folder = await Deno.makeTempDir();
  const files = `${folder}/files`;
  await Deno.mkdir(files);
  const tensors = syntheticTensors(options.megabytes * 5e5, "BF16");
  for (const variant of [0, 1]) {
    await writeSynthetic(`${files}/${variant}.safetensors`, tensors, variant);
  }
  const server = await startServer({
    AMALGAM_DATA: `${folder}/data`,
    AMALGAM_FILES: files,
    AMALGAM_MAX_UPLOADS: String(2 * (options.small + options.large) + 16),
  });
  try {
    return await measure(server, options);
  } finally {
    await server.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

async function measure(server: MeasuredServer, options: LoadOptions): Promise<LoadReport> {
  const { origin } = server;
  const recipe = await smallRecipe(origin);
  const errors: Record<string, number> = {};
  const failed = (error: unknown) => {
    const text = String(error).slice(0, 200);
    errors[text] = (errors[text] ?? 0) + 1;
  };
  const started = await resident(server);
  for (let i = 0; i < 20; i++) await smallMerge(origin, recipe);
  const idle: number[] = [];
  for (let i = 0; i < IDLE_MERGES; i++) idle.push(await smallMerge(origin, recipe));
  if (options.large > 0) await largeMerge(origin);
  await Promise.all(Array.from({ length: options.small }, () => smallMerge(origin, recipe)));
  const before = await settled(server, Infinity);
  server.peak();

  let end = 0;
  const during = async (work: () => Promise<void>, pause: number) => {
    await sleep(Math.random() * 2 * pause);
    while (performance.now() < end) {
      await work().catch(failed);
      await sleep(Math.random() * 2 * pause);
    }
  };
  const clients = (times: number[]) =>
    Array.from({ length: options.small }, () =>
      during(async () => {
        times.push(await smallMerge(origin, recipe));
      }, options.pause));
  const alone: number[] = [];
  end = performance.now() + 1000 * Math.min(options.seconds / 4, 30);
  await Promise.all(clients(alone));
  const times: number[] = [];
  const large: number[] = [];
  end = performance.now() + 1000 * options.seconds;
  await Promise.all([
    ...clients(times),
    ...Array.from({ length: options.large }, () =>
      during(async () => {
        large.push(await largeMerge(origin));
      }, 0)),
  ]);
  const peak = server.peak();
  const after = await settled(server, before);
  const idle_median = quantile(idle, 0.5);
  const p99 = quantile(times, 0.99);
  return {
    options,
    idle_median,
    loaded: { count: times.length, median: quantile(times, 0.5), p99, longest: quantile(times, 1) },
    alone: {
      count: alone.length,
      median: quantile(alone, 0.5),
      p99: quantile(alone, 0.99),
    },
    ratio: Math.round(p99 / idle_median * 10) / 10,
    ratio_to_alone: Math.round(p99 / quantile(alone, 0.5) * 10) / 10,
    large: { count: large.length, median_seconds: quantile(large, 0.5) / 1000 },
    errors,
    memory: { started, before, peak: Math.round(peak), after },
  };
}

async function smallRecipe(origin: string): Promise<string> {
  const ids: string[] = [];
  for (const seed of [0, 1, 2]) {
    const answer = await fetch(`${origin}/checkpoints`, {
      method: "POST",
      body: checkpoint(8, 1 << 15, seed),
    });
    ids.push((await answer.json()).id);
  }
  return JSON.stringify({
    merge_method: "linear",
    models: ids.map((model) => ({ model, parameters: { weight: 1 } })),
  });
}

/** Milliseconds until the last byte. */
async function smallMerge(origin: string, recipe: string): Promise<number> {
  const begun = performance.now();
  const answer = await fetch(`${origin}/merge`, {
    method: "POST",
    body: recipe,
    headers: { "content-type": "application/json" },
  });
  if (!answer.ok) throw new Error(`${answer.status} ${(await answer.json()).type}`);
  const length = Number(answer.headers.get("content-length"));
  let bytes = 0;
  for await (const piece of answer.body!) bytes += piece.length;
  if (bytes !== length) throw new Error(`${bytes} bytes came, not ${length}`);
  return performance.now() - begun;
}

/** Milliseconds until the last byte, by a client of its own. */
async function largeMerge(origin: string): Promise<number> {
  const begun = performance.now();
  const recipe = JSON.stringify({
    merge_method: "task_arithmetic",
    base_model: "base",
    models: [{ model: "tuned", parameters: { weight: 0.5 } }],
    sources: { base: { path: "0.safetensors" }, tuned: { path: "1.safetensors" } },
  });
  const { code, stdout, stderr } = await new Deno.Command("curl", {
    args: [
      ...["--silent", "--show-error", "-o", "/dev/null", "-w", "%{http_code}"],
      ...["-H", "content-type: application/json", "--data", recipe, `${origin}/merge`],
    ],
  }).output();
  const status = new TextDecoder().decode(stdout);
  if (code !== 0 || status !== "200") {
    throw new Error(`large: ${status} ${new TextDecoder().decode(stderr)}`);
  }
  return performance.now() - begun;
}

/** The resident set now. */
async function resident(server: MeasuredServer): Promise<number> {
  server.peak();
  await sleep(100);
  return Math.round(server.peak());
}

/** The resident set once it falls no more, or is as low as it must be. */
async function settled(server: MeasuredServer, enough: number): Promise<number> {
  let least = Infinity;
  for (let waited = 0; waited < SETTLING; waited++) {
    await sleep(1000);
    least = Math.min(least, await resident(server));
    if (least <= enough && waited >= 5) break;
  }
  return least;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.ceil(share * sorted.length));
  return Math.round((sorted[at] ?? NaN) * 10) / 10;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}

if (import.meta.main) {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: Deno.args,
    options: { seconds: text, small: text, large: text, megabytes: text, pause: text },
  });
  const report = await measureLoad({
    seconds: Math.min(Number(values.seconds ?? 300), 3600),
    small: Math.min(Number(values.small ?? 200), 1000),
    large: Math.min(Number(values.large ?? 4), 16),
    megabytes: Number(values.megabytes ?? 500),
    pause: Number(values.pause ?? 0),
  });
  console.log(JSON.stringify(report, null, 2));
}
