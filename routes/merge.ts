/**
 * `POST /merge`: a recipe in, the merged checkpoint streamed out; `GET /merges/{id}/report`.
 *
 * @module
 */
import { Hono } from "hono";
import type { Bytes } from "../core/checkpoint/byte_source.ts";
import { ENDED } from "../core/ended.ts";
import { gatherPieces } from "../core/stream/gather_pieces.ts";
import { mergeStream } from "../core/stream/merge_stream.ts";
import type { RecipeInput } from "../core/merge/recipe_schema.ts";
import { planDocument } from "../core/merge/plan_document.ts";
import type { Plan } from "../core/merge/plan_types.ts";
import { Problem } from "../core/problem.ts";
import type { EngineChoice } from "../core/engine/engine_name.ts";
import { type KeepPorts, keepResult } from "./http/keep_result.ts";
import type { ReportingPorts } from "./http/reporting.ts";
import { reportLog } from "../core/stream/report_log.ts";
import type { ReplayBindings } from "./http/replay.ts";
import { attachment } from "./http/stored_headers.ts";
import { type DocumentInput, takes } from "./http/typed.ts";
import { streamOfLength } from "./http/streams.ts";
import { sendResult } from "./http/put_result.ts";
import { type CompleteMerge, prepareMerge, type RecipePorts } from "./http/recipe_request.ts";

/** Bytes that are made before the answer begins, so that early failures are problem documents. */
const BYTES_AHEAD = 4 << 20;

/** The resource's routes. */
export function mergeRoutes(ports: KeepPorts & ReportingPorts) {
  return new Hono<{ Bindings: ReplayBindings }>()
    .post("/merge", takes<DocumentInput<RecipeInput>>(), async (context) => {
      const planned = await prepareMerge(ports, context.req.raw);
      let prepared: CompleteMerge;
      try {
        await planned.admit();
        prepared = await planned.complete();
      } catch (error) {
        planned.controller.abort();
        await planned.release();
        throw error;
      }
      const job = context.env?.job;
      // The report of a job goes with it.
      const id = job?.id ?? ports.reports.newId();
      const isSent = prepared.recipe.output?.put !== undefined;
      if (!isSent && !job) return await answer(ports, prepared, id);
      const engine = await chosenEngine(ports);
      const log = reportLog(toldPlan(prepared), engine);
      if (!isSent && job) {
        const name = fileName(prepared);
        return context.json(await keepResult(ports, prepared, log, job, { name, engine }));
      }
      const sent = await sendResult(ports, prepared, log, id, context.req.raw);
      return context.json(sent, 200, { link: `<${sent.report}>; rel="describedby"` });
    })
    .post("/plan", takes<DocumentInput<RecipeInput>>(), async (context) => {
      const prepared = await prepareMerge(ports, context.req.raw);
      await prepared.release();
      return context.json(planDocument(toldPlan(prepared)));
    })
    .get("/merges/:id/report", async (context) => {
      const id = context.req.param("id");
      const report = await ports.reports.read(id);
      if (report === undefined) {
        throw new Problem(
          "not-found",
          `There is no report of a merge under this id: current value is ${id}`,
        );
      }
      return context.json(report as Record<string, unknown>);
    });
}

function chosenEngine({ executor }: RecipePorts): Promise<EngineChoice> {
  return executor.engine?.() ?? Promise.resolve({ name: "fused" });
}

/** The plan as it is told: with what the form of the answer adds to it. */
function toldPlan({ plan, output }: CompleteMerge): Plan {
  return {
    ...plan,
    bytesOut: output.byteLength,
    peakMemory: plan.peakMemory + output.memory,
    warnings: [...plan.warnings, ...output.warnings],
  };
}

/** Streams the result; from here on everything is released when the stream ends, however it ends. */
async function answer(
  ports: RecipePorts & ReportingPorts,
  prepared: CompleteMerge,
  id: string,
): Promise<Response> {
  const { plan, output, controller } = prepared;
  const log = reportLog(toldPlan(prepared), await chosenEngine(ports));
  const merged = mergeStream(plan, {
    executor: ports.executor,
    chunkElements: ports.chunkElements,
    signal: controller.signal,
    onTensor: log.add,
    onFallback: log.fellBack,
    engine: log.engine,
  });
  const pieces = gatherPieces(output.frame(merged, controller.signal));
  const finish = async (error?: unknown) => {
    controller.abort(ENDED);
    const kept = ports.reports.keep(id, log.finish(error));
    await pieces.return(undefined).catch(() => {});
    await prepared.release();
    await kept;
  };
  const ahead: IteratorResult<Bytes, void>[] = [];
  try {
    for (let bytes = 0; bytes < BYTES_AHEAD;) {
      const piece = await pieces.next();
      ahead.push(piece);
      if (piece.done) break;
      bytes += piece.value.length;
    }
  } catch (error) {
    await finish(error);
    throw error;
  }

  const next = () => ahead.shift() ?? pieces.next();
  const body = streamOfLength(next, output.byteLength, finish);
  return new Response(body, { headers: resultHeaders(prepared, id) });
}

/** What the result is saved as. */
function fileName({ plan, recipe, output: { extension } }: CompleteMerge): string {
  const stem = (recipe.name ?? `merged-${plan.method}`).replace(/\.(?:safetensors|onnx|zip)$/, "");
  return stem + extension;
}

function resultHeaders(prepared: CompleteMerge, id: string): Headers {
  const { byteLength, mediaType } = prepared.output;
  return new Headers({
    "content-type": mediaType,
    "content-length": String(byteLength),
    "content-disposition": attachment(fileName(prepared)),
    "link": `</merges/${id}/report>; rel="describedby"`,
    "cache-control": "no-store",
  });
}
