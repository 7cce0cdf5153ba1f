/**
 * Small merges: from the start of the process, one after the other, many at once, and many tensors in one.
 *
 * @module
 */
import { layoutSafetensors } from "../core/checkpoint/write_safetensors.ts";
import { freePort } from "./server.ts";

/** What was measured, in milliseconds but for the rate. */
export interface SmallMerges {
  /** From the start of the process to the first byte of a merge of 1 MB. */
  readonly cold: number;
  /** The same request once the service is warm: median, and 99 of 100 are faster. */
  readonly median: number;
  readonly slow: number;
  /** Merges of 4 KB a second, sixteen at once, once the service is warm. */
  readonly rate: number;
  /** Ten thousand tensors of 4 KB. */
  readonly manyTensors: number;
}

/** A checkpoint of float32 tensors with values that depend on the seed. */
export function checkpoint(
  tensors: number,
  elements: number,
  seed: number,
): Uint8Array<ArrayBuffer> {
  const layout = layoutSafetensors(
    Array.from({ length: tensors }, (_, i) => ({
      name: `layers.${i}.weight`,
      dtype: "F32" as const,
      shape: [elements],
    })),
    { format: "pt" },
  );
  const bytes = new Uint8Array(layout.byteLength);
  bytes.set(layout.header);
  const values = Float32Array.from({ length: elements }, (_, i) => Math.sin(seed + i));
  for (const { start } of layout.tensors) bytes.set(new Uint8Array(values.buffer), start);
  return bytes;
}

/** A merge of the base and two models by upload. */
function form(tensors: number, elements: number): FormData {
  const body = new FormData();
  body.append(
    "recipe",
    JSON.stringify({
      merge_method: "task_arithmetic",
      base_model: "base",
      models: [{ model: "a" }, { model: "b" }].map((each) => ({
        ...each,
        parameters: { weight: 0.5 },
      })),
    }),
  );
  ["base", "a", "b"].forEach((name, i) =>
    body.append(name, new Blob([checkpoint(tensors, elements, i)]), name)
  );
  return body;
}

/** Sends a merge; answers the milliseconds to the first byte and to the last. */
async function merge(origin: string, body: FormData): Promise<{ first: number; last: number }> {
  const started = performance.now();
  const answer = await fetch(`${origin}/merge`, { method: "POST", body });
  if (!answer.ok) throw new Error(await answer.text());
  let first = 0;
  for await (const _ of answer.body!) first ||= performance.now() - started;
  return { first, last: performance.now() - started };
}

/** Waits until the port takes connections; what is asked of the service meanwhile would slow its start. */
async function listening(port: number): Promise<void> {
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    }
    await new Promise((next) => setTimeout(next, 3));
  }
}

/** As in the `serve` task. */
const FLAGS = "--v8-flags=--max-semi-space-size=8,--heap-growing-percent=50";
const MALLOC = { MALLOC_MMAP_THRESHOLD_: "1048576", MALLOC_ARENA_MAX: "2" };

/** Merges that are counted by the second. */
const MANY = 4000;

/** Small merges, sixteen at once. */
async function atOnce(origin: string, count: number): Promise<void> {
  const body = form(1, 1024);
  let next = 0;
  await Promise.all(Array.from({ length: 16 }, async () => {
    while (next++ < count) await merge(origin, body);
  }));
}

/** Measures; the service keeps nothing on disk. */
export async function measureSmall(): Promise<SmallMerges> {
  const port = freePort();
  const origin = `http://127.0.0.1:${port}`;
  const megabyte = () => form(8, 1 << 15);
  const body = megabyte();
  const started = performance.now();
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", FLAGS, "-A", new URL("../serve.ts", import.meta.url).pathname],
    env: { ...MALLOC, HOST: "127.0.0.1", PORT: String(port), AMALGAM_DATA: "memory:" },
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    await listening(port);
    const listened = performance.now() - started;
    const cold = listened + (await merge(origin, body)).first;
    const times: number[] = [];
    for (let i = 0; i < 100; i++) times.push((await merge(origin, megabyte())).first);
    times.sort((a, b) => a - b);
    await atOnce(origin, 1000);
    const begun = performance.now();
    await atOnce(origin, MANY);
    const rate = MANY / (performance.now() - begun) * 1000;
    const { last } = await merge(origin, form(10_000, 1024));
    return { cold, median: times[50]!, slow: times[99]!, rate, manyTensors: last };
  } finally {
    process.kill();
    await process.status;
  }
}

if (import.meta.main) console.log(await measureSmall());
