/**
 * `POST /tune`: one participant's tuning; `POST /evaluate`: checkpoints on tasks.
 *
 * @module
 */
import { Hono } from "hono";
import { runEvaluate } from "../core/atm/run_evaluate.ts";
import { runTune, type TuneAnswer } from "../core/atm/run_tune.ts";
import {
  evaluateNames,
  parseEvaluateDocument,
  parseTuneDocument,
  tuneNames,
} from "../core/atm/tune_document.ts";
import type { TuningPorts } from "../core/atm/tuning_ports.ts";
import { respondWithSource } from "./http/byte_ranges.ts";
import { digestField } from "./http/digest.ts";
import { preferredType } from "./http/negotiate.ts";
import { type LongCallPorts, runRequest } from "./http/run_request.ts";

/** What the resources stand on. */
export interface TunePorts extends TuningPorts, LongCallPorts {}

const BYTES = "application/octet-stream";

/** The resources' routes. */
export function tuneRoutes(ports: TunePorts) {
  return new Hono()
    .post("/tune", (context) =>
      runRequest(ports, context.req.raw, {
        format: { part: "request", parse: parseTuneDocument, names: tuneNames },
        work: (document, { uploads, signal, tell }) =>
          runTune(document, {
            ports,
            uploads,
            signal,
            onStep: (report) => tell({ event: "step", ...report }),
          }),
        render: (answer) => {
          const accept = context.req.header("accept");
          return preferredType(accept, ["application/json", BYTES]) === BYTES
            ? vectorBytes(ports, context.req.raw, answer)
            : context.json(answer);
        },
        result: (answer) => ({ event: "result", ...answer }),
      }))
    .post("/evaluate", (context) =>
      runRequest(ports, context.req.raw, {
        format: { part: "request", parse: parseEvaluateDocument, names: evaluateNames },
        work: (document, { uploads, signal, tell }) =>
          runEvaluate(document, {
            ports,
            uploads,
            signal,
            onScore: ({ checkpoint, task, score }) =>
              tell({ event: "score", checkpoint, task, ...score }),
          }),
        render: (answer) => context.json(answer),
        result: (answer) => ({ event: "result", ...answer }),
      }));
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
