/**
 * `POST /tune`: one participant's tuning; `POST /evaluate`: checkpoints on tasks. What does the work is loaded with
 * the first request, so that a process starts without it.
 *
 * @module
 */
import { Hono } from "hono";
import type { EvaluateAnswer } from "../core/atm/run_evaluate.ts";
import type { TuneAnswer } from "../core/atm/run_tune.ts";
import {
  type EvaluateInput,
  evaluateNames,
  graphNames,
  parseEvaluateDocument,
  parseTrainingGraphDocument,
  parseTuneDocument,
  type TrainingGraphInput,
  type TuneInput,
  tuneNames,
} from "../core/atm/tune_document.ts";
import { isExternalData } from "../core/sources/external_data.ts";
import type { TuningPorts } from "../core/atm/tuning_ports.ts";
import { inPhase } from "../core/telemetry/phase.ts";
import { respondWithSource } from "./http/byte_ranges.ts";
import { digestField } from "./http/digest.ts";
import { preferredType } from "./http/negotiate.ts";
import { type LongCallPorts, runRequest } from "./http/run_request.ts";
import { type DocumentInput, takes, told } from "./http/typed.ts";

/** What the resources stand on. */
export interface TunePorts extends TuningPorts, LongCallPorts {}

const BYTES = "application/octet-stream";

/** The resources' routes. */
export function tuneRoutes(ports: TunePorts) {
  return new Hono()
    .post(
      "/tune",
      takes<DocumentInput<TuneInput>>(),
      (context) =>
        told<TuneAnswer>(runRequest(ports, context.req.raw, {
          format: {
            part: "request",
            parse: parseTuneDocument,
            names: tuneNames,
            admits: isExternalData,
          },
          async work(document, { uploads, signal, tell }) {
            const { runTune } = await import("../core/atm/run_tune.ts");
            return await inPhase("tune", () =>
              runTune(document, {
                ports,
                uploads,
                signal,
                onStep: (report) => tell({ event: "step", ...report }),
              }));
          },
          render: (answer) => {
            const accept = context.req.header("accept");
            return preferredType(accept, ["application/json", BYTES]) === BYTES
              ? vectorBytes(ports, context.req.raw, answer)
              : context.json(answer);
          },
          result: (answer) => ({ event: "result", ...answer }),
        })),
    )
    .post(
      "/training-graph",
      takes<DocumentInput<TrainingGraphInput>>(),
      (context) =>
        runRequest(ports, context.req.raw, {
          format: {
            part: "request",
            parse: parseTrainingGraphDocument,
            names: graphNames,
            admits: isExternalData,
          },
          async work(document, { uploads, signal }) {
            const { runTrainingGraph } = await import("../core/atm/run_training_graph.ts");
            return await runTrainingGraph(document, { ports, uploads, signal });
          },
          render: (bytes) =>
            new Response(bytes, {
              headers: {
                "content-type": "application/octet-stream",
                "content-length": String(bytes.length),
                "content-disposition": 'attachment; filename="training.onnx"',
                "cache-control": "no-store",
              },
            }),
        }),
    )
    .post(
      "/evaluate",
      takes<DocumentInput<EvaluateInput>>(),
      (context) =>
        told<EvaluateAnswer>(runRequest(ports, context.req.raw, {
          format: {
            part: "request",
            parse: parseEvaluateDocument,
            names: evaluateNames,
            admits: isExternalData,
          },
          async work(document, { uploads, signal, tell }) {
            const { runEvaluate } = await import("../core/atm/run_evaluate.ts");
            return await inPhase("evaluate", () =>
              runEvaluate(document, {
                ports,
                uploads,
                signal,
                onScore: ({ checkpoint, task, score }) =>
                  tell({ event: "score", checkpoint, task, ...score }),
              }));
          },
          render: (answer) => context.json(answer),
          result: (answer) => ({ event: "result", ...answer }),
        })),
    );
}

/** The task vector itself; the checkpoint's id stands in `Link`. */
async function vectorBytes(
  ports: TunePorts,
  request: Request,
  { task_vector: { id }, checkpoint }: TuneAnswer,
): Promise<Response> {
  const source = await ports.leases.open(id);
  if (!source) throw new Error(`The stored task vector ${id} is gone`);
  return respondWithSource(new Request(request.url), source, {
    etag: `"${id}"`,
    contentType: BYTES,
    headers: {
      "repr-digest": digestField(id),
      "content-disposition": `attachment; filename="${id.slice(7, 19)}.safetensors"`,
      "link": `</checkpoints/${id}>; rel="self", </checkpoints/${checkpoint.id}>; rel="related"`,
    },
  });
}
