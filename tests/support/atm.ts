/**
 * Runs `POST /atm` on small tasks made in place.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Bytes } from "../../core/checkpoint/byte_source.ts";
import { readValues } from "../../core/gradient/parameters.ts";
import type { AtmAnswer } from "../../core/atm/rounds/answer.ts";
import { testApp } from "./service.ts";
import { numbers, rows, safetensorsOf, smallModel, weights } from "./small_model.ts";
import { checkpointOf, postDocument, type Upload } from "./tuning.ts";

/** The application of a test. */
export type TestApp = ReturnType<typeof testApp>;

/** Rows of three tasks that want different things of the same inputs. */
export function taskShards(count = 24): Record<string, Bytes> {
  const shards: Record<string, Bytes> = {};
  ["one", "two", "three"].forEach((name, task) => {
    ["tune", "select", "test"].forEach((use, split) => {
      const seed = 11 * task + 3 * split + 1;
      const labels = numbers(4 * count, seed).flatMap((value, i) =>
        i % 4 === task ? [value > 0.2 ? 0 : value > -0.3 ? 1 : 2] : []
      );
      shards[`${name}-${use}`] = rows(count, seed, labels);
    });
  });
  return shards;
}

/** A document over the tasks of {@linkcode taskShards}. */
export function atmDocument(
  changes: Record<string, unknown> = {},
  names: readonly string[] = ["one", "two"],
): Record<string, unknown> {
  const { local, ...rest } = changes;
  return {
    model: "net",
    start: "start",
    tasks: names.map((name) => ({
      name,
      shard: `${name}-tune`,
      select: `${name}-select`,
      test: `${name}-test`,
      target: "y",
      loss: "cross_entropy",
    })),
    rounds: 2,
    local: {
      epochs: 1,
      batch_size: 8,
      optimizer: { name: "sgd", learning_rate: 0.1 },
      ...local as Record<string, unknown>,
    },
    references: [],
    ...rest,
  };
}

/** The uploads that a document uses. */
export function atmUploads(
  document: Record<string, unknown>,
  changes: Readonly<Record<string, Bytes>> = {},
): Upload[] {
  const parts: Record<string, Bytes> = {
    net: smallModel(),
    start: safetensorsOf(weights(1)),
    ...taskShards(),
    ...changes,
  };
  const text = JSON.stringify(document);
  return Object.entries(parts).filter(([name]) => text.includes(`"${name}"`));
}

/** What a run told. */
export interface AtmRun {
  readonly events: readonly Record<string, unknown>[];
  readonly answer: AtmAnswer;
  /** Values by tensor of the result. */
  readonly values: Record<string, number[]>;
}

/** Every event of a run. */
export async function atmEvents(
  app: TestApp["app"],
  document: Record<string, unknown>,
  uploads: readonly Upload[],
): Promise<Record<string, unknown>[]> {
  const response = await postDocument(app, "/atm", document, uploads);
  const text = await response.text();
  if (response.status !== 200) return [{ ...JSON.parse(text), event: "error" }];
  return text.trim().split("\n").map((line) => JSON.parse(line));
}

/** Runs to the end; fails if the run does. */
export async function runTasks(
  changes: Record<string, unknown> = {},
  names?: readonly string[],
  shards: Readonly<Record<string, Bytes>> = {},
  within?: TestApp,
): Promise<AtmRun> {
  const test = within ?? testApp();
  try {
    const document = atmDocument(changes, names);
    const events = await atmEvents(test.app, document, atmUploads(document, shards));
    const last = events.at(-1)!;
    assertEquals(last["event"], "result", `${JSON.stringify(last)} ${test.faults}`);
    const answer = last as unknown as AtmAnswer;
    return { events, answer, values: await valuesOf(test.app, answer.checkpoint.id) };
  } finally {
    if (!within) await test.close();
  }
}

/** The values of a stored checkpoint by tensor. */
export async function valuesOf(
  app: TestApp["app"],
  id: string,
): Promise<Record<string, number[]>> {
  const response = await app.request(`/checkpoints/${id}`);
  const checkpoint = await checkpointOf(new Uint8Array(await response.arrayBuffer()));
  const values: Record<string, number[]> = {};
  for (const [name, tensor] of checkpoint.tensors) {
    values[name] = [...await readValues(tensor, new AbortController().signal)];
  }
  return values;
}

/** The largest difference between two sets of values. */
export function farthest(a: Record<string, number[]>, b: Record<string, number[]>): number {
  assertEquals(Object.keys(a).sort(), Object.keys(b).sort());
  let most = 0;
  for (const [name, values] of Object.entries(a)) {
    values.forEach((value, i) => most = Math.max(most, Math.abs(value - b[name]![i]!)));
  }
  return most;
}
