/**
 * The report of a merge, as the service keeps it.
 *
 * @module
 */
import type { MergeReport } from "../../../../../../core/stream/report.ts";
import { ProblemError } from "../../../service/problem.ts";
import type { Send } from "../../../service/service.ts";

/** Reads a report by its path. */
export async function readReport(send: Send, path: string): Promise<MergeReport> {
  const answer = await send({ method: "GET", path });
  return await answer.json() as MergeReport;
}

/** Why a merge ended early, if its report says it. */
export async function reportProblem(send: Send, path: string): Promise<ProblemError | undefined> {
  try {
    const { problem } = await readReport(send, path);
    return problem && new ProblemError({
      type: `/problems/${problem.kind}`,
      title: "The merge ended early",
      status: 0,
      detail: problem.detail,
    });
  } catch {
    return undefined;
  }
}
