/**
 * Finds the configuration of an adapter: among the uploads, in its own metadata, in the store, or beside it.
 *
 * @module
 */
import { CONFIG_FILE, CONFIG_KEY, readConfigText } from "../adapters/config_json.ts";
import type { ByteSource } from "../checkpoint/byte_source.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { SourceSpec } from "../merge/sources.ts";
import { Problem } from "../problem.ts";
import { specBeside } from "./beside.ts";
import type { SourcePorts, UploadedSource } from "./open_sources.ts";

/** What follows the name of a source in the name of the part with its configuration. */
const PART = ".config";

/** Whether a part of a request is the configuration of one of the sources that its document names. */
export function isConfigPart(part: string, names: ReadonlyMap<string, unknown>): boolean {
  return part.endsWith(PART) && !names.has(part) && names.has(part.slice(0, -PART.length));
}

/** Where a source's configuration may be. */
export interface AdapterPlace {
  readonly name: string;
  /** What the document says of the source. */
  readonly spec: SourceSpec;
  /** Where its file is, for the one beside it. */
  readonly at: SourceSpec;
  readonly uploads: ReadonlyMap<string, UploadedSource>;
  readonly ports: SourcePorts;
  readonly open: (spec: SourceSpec) => Promise<{ readonly bytes: ByteSource }>;
  readonly signal: AbortSignal;
}

/**
 * An opened checkpoint with its configuration if it is an adapter; others are answered as they are.
 *
 * A configuration that is found nowhere is left out: whoever needs it says so.
 *
 * @throws {Problem} `invalid-recipe` if a configuration came for what is no adapter, `upstream` and what else
 * a source fails with, but for one that is not there.
 */
export async function withConfig(
  checkpoint: Checkpoint,
  place: AdapterPlace,
): Promise<Checkpoint> {
  const { name, spec, uploads, ports, signal } = place;
  const upload = uploads.get(name + PART);
  if (checkpoint.kind !== "adapter") {
    if (upload === undefined) return checkpoint;
    const message = `Cannot use the part as only an adapter has a configuration: current kind of ` +
      `"${name}" is ${checkpoint.kind}`;
    throw new Problem("invalid-recipe", message, { errors: [{ path: name + PART, message }] });
  }
  const stored = spec.type === "checkpoint" ? await ports.storedConfig?.(spec.id) : undefined;
  const config = upload
    ? await readConfigText(upload.source, name, signal)
    : checkpoint.metadata[CONFIG_KEY] ?? stored ?? await configBeside(place);
  return { ...checkpoint, ...(config === undefined ? {} : { config }) };
}

async function configBeside(
  { name, at, open, signal }: AdapterPlace,
): Promise<string | undefined> {
  if (at.type !== "url" && at.type !== "path") return undefined;
  let bytes: ByteSource | undefined;
  try {
    ({ bytes } = await open(specBeside(name, at, CONFIG_FILE)));
    return await readConfigText(bytes, name, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Problem && isAbsent(error)) return undefined;
    throw error;
  } finally {
    bytes?.close?.();
  }
}

/** Stores of objects answer 403 for what is not there to those who may not list it. */
function isAbsent({ kind, members }: Problem): boolean {
  return kind === "not-found" || [403, 404, 410].includes(Number(members.upstream_status));
}
