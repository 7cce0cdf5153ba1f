/**
 * `POST /statistics`: statistics of a model on unlabelled rows, for the methods that merge by them. What gathers them
 * is loaded with the first request, so that a process starts without it.
 *
 * @module
 */
import { Hono } from "hono";
import { isExternalData } from "../core/sources/external_data.ts";
import type { StatisticsAnswer } from "../core/statistics/run_statistics.ts";
import {
  parseStatisticsDocument,
  type StatisticsInput,
  statisticsSources,
} from "../core/statistics/statistics_document.ts";
import type { TuningPorts } from "../core/atm/tuning_ports.ts";
import { inPhase } from "../core/telemetry/phase.ts";
import { type LongCallPorts, runRequest } from "./http/run_request.ts";
import { type DocumentInput, takes, told } from "./http/typed.ts";

/** What the resource stands on. */
export interface StatisticsPorts extends TuningPorts, LongCallPorts {}

/** Progress is told of every so many rows. */
const TOLD = 16;

/** The resource's routes. */
export function statisticsRoutes(ports: StatisticsPorts) {
  return new Hono().post(
    "/statistics",
    takes<DocumentInput<StatisticsInput>>(),
    (context) =>
      told<StatisticsAnswer>(runRequest(ports, context.req.raw, {
        format: {
          part: "request",
          parse: parseStatisticsDocument,
          names: statisticsSources,
          admits: isExternalData,
        },
        async work(document, { uploads, signal, tell }) {
          const { runStatistics } = await import("../core/statistics/run_statistics.ts");
          return await inPhase("statistics", () =>
            runStatistics(document, {
              ports,
              uploads,
              signal,
              onProgress: (progress) => {
                const { done, rows } = progress;
                if (done % TOLD === 0 || done === rows) tell({ event: "rows", ...progress });
              },
            }));
        },
        render: (answer) => context.json(answer),
        result: (answer) => ({ event: "result", ...answer }),
      })),
  );
}
