/**
 * `POST /atm`: rounds of alternating tuning and merging, told as events.
 *
 * @module
 */
import { Hono } from "hono";
import type { AtmInput } from "../core/atm/rounds/atm_schema.ts";
import { atmNames, parseAtmDocument } from "../core/atm/rounds/atm_document.ts";
import { runAtm } from "../core/atm/rounds/run_atm.ts";
import { isExternalData } from "../core/sources/open_model.ts";
import type { TuningPorts } from "../core/atm/tuning_ports.ts";
import { getJob } from "../core/jobs/job.ts";
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
          const resume = await runToResume(ports.records, context.env?.resume ?? document.resume);
          const { resume: _, ...rest } = document;
          return await runAtm(resume === undefined ? rest : { ...rest, resume }, {
            ports,
            uploads,
            signal,
            tell,
            width: ports.width,
          });
        },
        render: (answer) => context.json(answer),
        result: (answer) => ({ event: "result", ...answer }),
      }),
  );
}

/** The run of rounds of an id, which may be that of its job. */
async function runToResume(
  records: AtmPorts["records"],
  id: string | undefined,
): Promise<string | undefined> {
  return id === undefined ? undefined : (await getJob(records, id))?.run ?? id;
}
