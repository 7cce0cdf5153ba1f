/**
 * `POST /atm`: rounds of alternating tuning and merging, told as events.
 *
 * @module
 */
import { Hono } from "hono";
import { atmNames, parseAtmDocument } from "../core/atm/rounds/atm_document.ts";
import { runAtm } from "../core/atm/rounds/run_atm.ts";
import { isExternalData } from "../core/sources/open_model.ts";
import type { TuningPorts } from "../core/atm/tuning_ports.ts";
import { type LongCallPorts, runRequest } from "./http/run_request.ts";

/** What the resource stands on. */
export interface AtmPorts extends TuningPorts, LongCallPorts {
  /** How many tasks may be tuned at once. */
  readonly width: number;
}

/** The resource's routes. */
export function atmRoutes(ports: AtmPorts) {
  return new Hono().post("/atm", (context) =>
    runRequest(ports, context.req.raw, {
      format: { part: "request", parse: parseAtmDocument, names: atmNames, admits: isExternalData },
      always: true,
      work: (document, { uploads, signal, tell }) =>
        runAtm(document, { ports, uploads, signal, tell, width: ports.width }),
      render: (answer) => context.json(answer),
      result: (answer) => ({ event: "result", ...answer }),
    }));
}
