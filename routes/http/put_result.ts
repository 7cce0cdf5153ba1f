/**
 * Sends the result of a merge to the addresses that its recipe gives, instead of answering it.
 *
 * @module
 */
import { ENDED } from "../../core/ended.ts";
import { putTargets } from "../../core/merge/put_targets.ts";
import { Problem } from "../../core/problem.ts";
import { type PutAnswer, putFile } from "../../core/sources/put_file.ts";
import { mergeStream } from "../../core/stream/merge_stream.ts";
import type { ReportLog } from "../../core/stream/report_log.ts";
import type { ReportingPorts } from "./reporting.ts";
import type { CompleteMerge, RecipePorts } from "./recipe_request.ts";

/** What is answered instead of the file. */
export interface PutResult {
  /** In the order in which they were sent. */
  readonly put: readonly PutAnswer[];
  /** Path of the report. */
  readonly report: string;
}

/**
 * Merges and sends. The memory must have been admitted; everything is released at the end.
 *
 * @param id Of the report.
 * @throws {Problem} `invalid-recipe`, `forbidden-source`, `upstream`, and whatever a merge throws.
 */
export async function sendResult(
  ports: RecipePorts & ReportingPorts,
  prepared: CompleteMerge,
  log: ReportLog,
  id: string,
  request: Request,
): Promise<PutResult> {
  const { plan, recipe, output, controller, release } = prepared;
  const gone = () =>
    controller.abort(new Problem("upstream", "The client went away before the result was sent"));
  request.signal.addEventListener("abort", gone);
  const merged = mergeStream(plan, {
    executor: ports.executor,
    chunkElements: ports.chunkElements,
    signal: controller.signal,
    onTensor: log.add,
    onFallback: log.fellBack,
    engine: log.engine,
  });
  const answers: PutAnswer[] = [];
  try {
    const targets = putTargets(recipe.output!.put!, output.files);
    await output.send(merged, async (file) => {
      const content = async function* () {
        yield* file.content();
      };
      answers.push(
        await putFile(targets[output.files.indexOf(file.name)]!, { ...file, content }, {
          fetch: ports.sources.fetch,
          timeout: ports.limits?.sourceStall ?? 60,
          signal: controller.signal,
        }),
      );
    }, controller.signal);
    await ports.reports.keep(id, log.finish());
    return { put: answers, report: `/merges/${id}/report` };
  } catch (error) {
    await ports.reports.keep(id, log.finish(error));
    throw error;
  } finally {
    request.signal.removeEventListener("abort", gone);
    controller.abort(ENDED);
    await merged.return(undefined).catch(() => {});
    await release();
  }
}
