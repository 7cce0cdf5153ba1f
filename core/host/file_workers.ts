/**
 * Engine workers that read files themselves.
 *
 * @module
 */
import { type EngineHost, moduleWorkers } from "../engine/start_worker.ts";

/** Workers of this process, with the module that reads the places of files. */
export const fileWorkers: EngineHost = {
  ...moduleWorkers,
  placeReader: new URL("./place_reader.ts", import.meta.url),
};
