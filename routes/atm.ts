/**
 * `POST /atm`: rounds of alternating tuning and merging, told as events. What runs them is loaded with the first
 * request, so that a process starts without it.
 *
 * @module
 */
import { Hono } from "hono";
import type { AtmInput } from "../core/atm/rounds/atm_schema.ts";
import { parseAtmDocument } from "../core/atm/rounds/atm_document.ts";
import { atmNames } from "../core/atm/rounds/atm_names.ts";
import { isExternalData } from "../core/sources/external_data.ts";
import type { TuningPorts } from "../core/atm/tuning_ports.ts";
import { inPhase } from "../core/telemetry/phase.ts";
import { hasRun } from "../core/atm/rounds/run_state.ts";
import { getJob, runOf } from "../core/jobs/job.ts";
import type { ReplayBindings } from "./http/replay.ts";
import { type LongCallPorts, runRequest } from "./http/run_request.ts";
import { type DocumentInput, takes } from "./http/typed.ts";

/** What the resource stands on. */
export interface AtmPorts extends TuningPorts, LongCallPorts {
  /** How many tasks may be tuned at once. */
  readonly width: number;
}

/** The resource's routes. */
export function atmRoutes(ports: AtmPorts) {
  return new Hono<{ Bindings: ReplayBindings }>().post(
    "/atm",
    takes<DocumentInput<AtmInput>>(),
    (context) =>
      runRequest(ports, context.req.raw, {
        format: {
          part: "request",
          parse: parseAtmDocument,
          names: atmNames,
          admits: isExternalData,
        },
        always: true,
        async work(document, { uploads, signal, tell }) {
          const { job } = context.env ?? {};
          const resume = await runToResume(ports.records, document.resume, job);
          const { resume: _, ...rest } = document;
          const asked = resume === undefined ? rest : { ...rest, resume };
          const { runAtm } = await import("../core/atm/rounds/run_atm.ts");
          return await inPhase("atm", () =>
            runAtm(asked, {
              ports,
              uploads,
              signal,
              tell,
              width: ports.width,
              ...(job === undefined ? {} : { run: job.id }),
            }));
        },
        render: (answer) => context.json(answer),
        result: (answer) => ({ event: "result", ...answer }),
      }),
  );
}

/** The run of rounds to go on with: what a job has begun before a restart, or the run that the document names. */
async function runToResume(
  records: AtmPorts["records"],
  named: string | undefined,
  job: ReplayBindings["job"],
): Promise<string | undefined> {
  if (job && await hasRun(records, job.id)) return job.id;
  if (named === undefined) return undefined;
  const other = await getJob(records, named);
  return other ? runOf(other) : named;
}
