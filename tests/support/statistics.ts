/**
 * Asks for statistics of the fixtures that PyTorch and numpy made, and reads what is answered.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Bytes } from "../../core/checkpoint/byte_source.ts";
import type { Checkpoint } from "../../core/checkpoint/checkpoint.ts";
import { testApp, type TestAppOptions } from "./service.ts";
import { checkpointOf, postDocument, type Upload } from "./tuning.ts";

/** What PyTorch found for one model. */
export interface ExpectedStatistics {
  readonly layers: Readonly<
    Record<string, { axis: number; rows: number; gram: unknown; bias?: string }>
  >;
  readonly fisher?: Readonly<Record<string, number[]>>;
}

/** An answer of `POST /statistics`. */
export interface Answered {
  readonly statistics: { readonly id: string };
  readonly kind: string;
  readonly rows: number;
  readonly tensors: readonly {
    name: string;
    shape: number[];
    rows?: number;
    axis?: number;
    bias?: string;
  }[];
  readonly without: readonly string[];
  readonly ledger: readonly Record<string, unknown>[];
}

const FOLDER = "fixtures/statistics";

/** A file of the fixtures. */
export async function fixture(name: string): Promise<Bytes> {
  return await Deno.readFile(`${FOLDER}/${name}`);
}

/** What the fixtures' JSON says. */
export async function expectedStatistics(name: string): Promise<ExpectedStatistics> {
  return JSON.parse(await Deno.readTextFile(`${FOLDER}/statistics.json`))[name];
}

/** The uploads of a fixture. */
export async function fixtureUploads(name: string): Promise<Upload[]> {
  return [
    ["net", await fixture(`${name}.onnx`)],
    ["start", await fixture(`${name}.safetensors`)],
    ["rows", await fixture(`${name}_rows.safetensors`)],
  ];
}

/** The document that asks for a fixture's statistics. */
export function statisticsRequest(
  kind: "gram" | "fisher",
  { task, ...changes }: {
    readonly task?: Record<string, unknown>;
    readonly [key: string]: unknown;
  } = {},
): Record<string, unknown> {
  const loss = kind === "fisher" ? { loss: "cross_entropy" } : {};
  return {
    model: "net",
    start: "start",
    tasks: [{ name: "task", shard: "rows", ...loss, ...task }],
    kind,
    ...changes,
  };
}

/** Posts a request and opens the statistics that it stored. */
export async function statisticsOf(
  document: Record<string, unknown>,
  uploads: readonly Upload[],
  options: TestAppOptions = {},
): Promise<{ answer: Answered; bytes: Bytes; checkpoint: Checkpoint }> {
  const { app, faults, close } = testApp(options);
  try {
    const response = await postDocument(app, "/statistics", document, uploads);
    const answer: Answered & { detail?: string } = await response.json();
    assertEquals(response.status, 200, `${answer.detail} ${faults}`);
    const stored = await app.request(`/checkpoints/${answer.statistics.id}`);
    const bytes = new Uint8Array(await stored.arrayBuffer());
    return { answer, bytes, checkpoint: await checkpointOf(bytes) };
  } finally {
    await close();
  }
}

/** The numbers of a tensor, in double precision. */
export async function doublesOf(checkpoint: Checkpoint, name: string): Promise<Float64Array> {
  const { source, start, end, dtype } = checkpoint.tensors.get(name)!;
  const { buffer } = await source.slice(start, end);
  return dtype === "F64" ? new Float64Array(buffer) : Float64Array.from(new Float32Array(buffer));
}
