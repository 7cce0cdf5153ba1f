/**
 * Finds out what is in a source: the header of a file here, everything else by asking the service.
 *
 * @module
 */
import { ProblemError } from "../service/problem.ts";
import type { Send } from "../service/service.ts";
import type { NamedSource, OutlinedTensor } from "./named_source.ts";
import { specOf } from "./named_source.ts";
import type { Inspected } from "./read_header.ts";

/** What `GET /checkpoints/{id}/tensors` answers. */
interface StoredTensors {
  readonly kind: "weights" | "task_vector" | "adapter" | "statistics";
  readonly metadata?: Readonly<Record<string, string>>;
  readonly tensors: readonly (OutlinedTensor & { readonly bytes: number })[];
}

/** What of the answer to `POST /plan` is used. */
interface PlannedTensors {
  readonly kind: "weights" | "task_vector" | "adapter";
  readonly bytes_in: number;
  readonly tensors: readonly OutlinedTensor[];
}

/** Finds out what is in a source; a failure is told and not thrown. */
export async function inspect(source: NamedSource, send: Send): Promise<Inspected> {
  const { name, origin } = source;
  try {
    if (origin.type === "file") {
      const { readHeader } = await import("./read_header.ts");
      return await readHeader(origin.file, name, origin.beside);
    }
    if (origin.type === "checkpoint") {
      const path = `/checkpoints/${encodeURIComponent(origin.id)}/tensors`;
      const answer = await send({ method: "GET", path });
      const { kind, metadata, tensors } = await answer.json() as StoredTensors;
      const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
      return { outline: { kind, bytes, tensors, ...(metadata ? { metadata } : {}) } };
    }
    // A plan reads headers only, and the plan of a copy tells what they hold.
    const value = {
      merge_method: "passthrough",
      models: [{ model: name }],
      sources: { [name]: specOf(source) },
    };
    const answer = await send({
      method: "POST",
      path: "/plan",
      document: { part: "recipe", value },
    });
    const { kind, bytes_in, tensors } = await answer.json() as PlannedTensors;
    return {
      outline: {
        kind,
        bytes: bytes_in,
        tensors: tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
      },
    };
  } catch (error) {
    if (error instanceof ProblemError) return { fault: error.problem };
    throw error;
  }
}
