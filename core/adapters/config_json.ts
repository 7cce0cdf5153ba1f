/**
 * The text of an `adapter_config.json` as a map, and the bytes that it may be read from.
 *
 * @module
 */
import type { ByteSource } from "../checkpoint/byte_source.ts";
import { type AdapterName, adapterProblem } from "./adapter_problem.ts";

/** Name of the file beside an adapter. */
export const CONFIG_FILE = "adapter_config.json";
/** Key of an adapter's own metadata that holds the configuration. */
export const CONFIG_KEY = "adapter_config";
/** Bytes that a configuration may have. */
export const CONFIG_LIMIT = 1 << 20;

/**
 * Reads the text of a configuration.
 *
 * @throws {Problem} `too-large` beyond {@linkcode CONFIG_LIMIT}; what the source's `slice` throws.
 */
export async function readConfigText(
  source: ByteSource,
  adapter: AdapterName,
  signal?: AbortSignal,
): Promise<string> {
  const { byteLength } = source;
  if (byteLength > CONFIG_LIMIT) {
    throw adapterProblem(
      "too-large",
      adapter,
      `its configuration must have at most ${CONFIG_LIMIT} bytes: current value is ${byteLength}`,
      { limit: CONFIG_LIMIT, value: byteLength },
    );
  }
  return new TextDecoder().decode(await source.slice(0, byteLength, signal));
}

/**
 * Parses a configuration.
 *
 * @throws {Problem} `invalid-checkpoint` if it is no JSON map.
 */
export function parseJsonDocument(
  text: string,
  adapter: AdapterName,
): Readonly<Record<string, unknown>> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    document = undefined;
  }
  if (typeof document === "object" && document !== null && !Array.isArray(document)) {
    return document as Record<string, unknown>;
  }
  throw adapterProblem(
    "invalid-checkpoint",
    adapter,
    `its configuration must be a JSON map: current value is ${JSON.stringify(text.slice(0, 60))}`,
  );
}
