/**
 * `POST /task-vectors`: stores model minus base.
 *
 * @module
 */
import { Hono } from "hono";
import * as v from "valibot";
import { ENDED } from "../core/ended.ts";
import { mergeStream } from "../core/stream/merge_stream.ts";
import { invalidRecipe } from "../core/merge/faults.ts";
import { type TaskVectorInput, TaskVectorSchema } from "../core/merge/task_vector_document.ts";
import { INTERNAL_METHODS } from "../core/methods/mod.ts";
import type { CheckpointStore } from "../core/store/checkpoints.ts";
import { storeCheckpoint } from "../core/store/checkpoints.ts";
import { type DocumentReader, prepareMerge, type RecipePorts } from "./http/recipe_request.ts";
import { type DocumentInput, takes } from "./http/typed.ts";

/** The request as a recipe of the internal method. Float32 by default, so that base plus result is the model again. */
const reader: DocumentReader = {
  part: "request",
  methods: INTERNAL_METHODS,
  read(document) {
    const checked = v.safeParse(TaskVectorSchema, document);
    if (!checked.success) {
      throw invalidRecipe(checked.issues.map((issue) => ({
        path: v.getDotPath(issue) ?? "",
        message: `Cannot make the task vector as ${v.getDotPath(issue) ?? "the request"} must be ` +
          `${issue.message}: current value is ${JSON.stringify(issue.input)}`,
      })));
    }
    const { base, model, sources, negate, out_dtype } = checked.output;
    return {
      merge_method: "difference",
      base_model: base,
      models: [{ model }],
      parameters: { scale: negate ? -1 : 1 },
      sources,
      out_dtype,
    };
  },
};

/** The resource's routes. */
export function taskVectorRoutes(ports: RecipePorts & CheckpointStore) {
  return new Hono().post(
    "/task-vectors",
    takes<DocumentInput<TaskVectorInput>>(),
    async (context) => {
      const prepared = await prepareMerge(ports, context.req.raw, reader);
      const { controller } = prepared;
      try {
        await prepared.admit();
        const kind = "task_vector";
        const plan = {
          ...prepared.plan,
          kind,
          metadata: { ...prepared.plan.metadata, kind },
        } as const;
        const pieces = mergeStream(plan, {
          executor: ports.executor,
          chunkElements: ports.chunkElements,
          signal: controller.signal,
        });
        const { manifest, created } = await storeCheckpoint(ports, pieces, {
          signal: controller.signal,
        });
        return context.json(manifest, created ? 201 : 200, {
          location: `/checkpoints/${manifest.id}`,
        });
      } finally {
        controller.abort(ENDED);
        await prepared.release();
      }
    },
  );
}
