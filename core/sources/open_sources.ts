/**
 * Opens the sources of a document: stored checkpoints, URLs, files of the operator, uploads.
 *
 * @module
 */
import type { ByteSource } from "../checkpoint/byte_source.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { openHttpSource } from "../checkpoint/http_source.ts";
import {
  createReadAhead,
  type ReadAhead,
  type ReadAheadOptions,
} from "../checkpoint/read_ahead.ts";
import { openCheckpoint } from "../checkpoint/open_checkpoint.ts";
import { DEFAULT_LIMITS, type Limits } from "../limits.ts";
import type { MemoryBudget } from "../memory_budget.ts";
import type { InputProvenance } from "../merge/provenance.ts";
import type { SourceSpec } from "../merge/sources.ts";
import { Problem } from "../problem.ts";
import type { BlobId } from "../store/blobs.ts";
import { inPhase } from "../telemetry/phase.ts";
import { withConfig } from "./adapter_source.ts";
import { specBeside } from "./beside.ts";
import { type HubPort, PUBLIC_HUB } from "./hub.ts";
import { openHub } from "./open_hub.ts";

/** A source ready to be read, and what is known of its bytes. */
export interface OpenedSource {
  readonly checkpoint: Checkpoint;
  readonly provenance: InputProvenance;
}

/** Bytes that came with the request. */
export interface UploadedSource {
  readonly source: ByteSource;
  readonly id: BlobId;
}

/** What sources are opened with. */
export interface SourcePorts {
  /** A stored checkpoint's bytes, kept readable until closed; undefined if there is none. */
  readonly openStored: (id: BlobId) => Promise<ByteSource | undefined>;
  /** The configuration that a stored adapter came with; none is known if absent. */
  readonly storedConfig?: (id: BlobId) => Promise<string | undefined>;
  /** Fetches only from allowed hosts; refuses others with `forbidden-source`. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** A file below the operator's folder, or the checkpoint in a folder; absent where none is set. */
  readonly openPath?: (
    path: string,
  ) => Promise<{ readonly bytes: ByteSource; readonly path: string }>;
  /** Where `hub` sources are read from; the public hub by default. */
  readonly hub?: HubPort;
  /** Memory that models which are read whole share with merges; not counted if absent. */
  readonly memory?: MemoryBudget;
  /** How remote sources are read ahead; its memory is that of all calls. */
  readonly ahead?: ReadAheadOptions;
  /** What headers may hold and how slow servers may be; the defaults if absent. */
  readonly limits?: Limits;
}

/**
 * Opens one source; its header is read and checked.
 *
 * @param ahead What remote sources share that are read at once.
 *
 * @throws {Problem} `unknown-source`, `forbidden-source`, `upstream`, `invalid-checkpoint`,
 * `unsupported-format`, `unsupported-dtype`; each names the source.
 */
export async function openSource(
  name: string,
  spec: SourceSpec,
  uploads: ReadonlyMap<string, UploadedSource>,
  ports: SourcePorts,
  signal: AbortSignal,
  ahead: ReadAhead = createReadAhead(),
): Promise<OpenedSource> {
  const isRemote = spec.type === "url" || spec.type === "hub";
  const open = async (of: SourceSpec) => {
    const opened = await openBytes(name, of, uploads, ports, signal);
    return isRemote ? { ...opened, bytes: ahead.over(opened.bytes) } : opened;
  };
  const { bytes, known, at } = await open(spec);
  const openBeside = async (location: string) => (await open(specBeside(name, at, location))).bytes;
  try {
    const opened = await openCheckpoint(bytes, openBeside, {
      name,
      ...(spec.kind ? { kind: spec.kind } : {}),
      ...(ports.limits ? { limits: ports.limits } : {}),
      signal,
    });
    const checkpoint = await withConfig(opened, { name, spec, at, uploads, ports, open, signal });
    return { checkpoint, provenance: { ...known, bytes: checkpoint.byteLength } };
  } catch (error) {
    bytes.close?.();
    throw error;
  }
}

/**
 * Opens all sources at once; if one fails, the others are closed.
 *
 * @throws {Problem} The first failure, see {@linkcode openSource}.
 */
export async function openSources(
  specs: ReadonlyMap<string, SourceSpec>,
  uploads: ReadonlyMap<string, UploadedSource>,
  ports: SourcePorts,
  signal: AbortSignal,
): Promise<Map<string, OpenedSource>> {
  const names = [...specs.keys()];
  const ahead = createReadAhead(ports.ahead);
  const results = await inPhase("open sources", () =>
    Promise.allSettled(
      names.map((name) => openSource(name, specs.get(name)!, uploads, ports, signal, ahead)),
    ), { attributes: { "amalgam.sources": names.length } });
  const failed = results.find((result) => result.status === "rejected");
  if (failed) {
    for (const result of results) {
      if (result.status === "fulfilled") result.value.checkpoint.close();
    }
    throw failed.reason;
  }
  return new Map(results.map((result, i) => [
    names[i]!,
    (result as PromiseFulfilledResult<OpenedSource>).value,
  ]));
}

/** The bytes of a source, and what is known of them. */
export interface OpenedBytes {
  readonly bytes: ByteSource;
  readonly known: Omit<InputProvenance, "bytes">;
  /** Where they are, for the files beside: a file of a hub has its address. */
  readonly at: SourceSpec;
}

/**
 * Opens the bytes of one source, whatever their format.
 *
 * @throws {Problem} `unknown-source`, `forbidden-source`, `upstream`; each names the source.
 */
export async function openBytes(
  name: string,
  spec: SourceSpec,
  uploads: ReadonlyMap<string, UploadedSource>,
  ports: SourcePorts,
  signal: AbortSignal,
): Promise<OpenedBytes> {
  switch (spec.type) {
    case "upload": {
      const upload = uploads.get(spec.part);
      if (!upload) {
        throw unknownSource(name, `no file part came for it: current value is "${spec.part}"`);
      }
      return { bytes: upload.source, known: digestOf(upload.id), at: spec };
    }
    case "checkpoint": {
      const bytes = await ports.openStored(spec.id);
      if (!bytes) {
        throw unknownSource(
          name,
          `no checkpoint is stored under its id: current value is ${spec.id}`,
        );
      }
      return { bytes, known: digestOf(spec.id), at: spec };
    }
    case "url": {
      const bytes = await openHttpSource(spec.url, {
        fetch: ports.fetch,
        headers: spec.headers,
        timeout_ms: 1000 * (ports.limits ?? DEFAULT_LIMITS).sourceStall,
        signal,
      });
      return { bytes, known: bytes.etag === undefined ? {} : { id: bytes.etag }, at: spec };
    }
    case "path": {
      if (!ports.openPath) {
        throw new Problem(
          "forbidden-source",
          `Cannot read source "${name}" as this service offers no files (AMALGAM_FILES is not set): ` +
            `current value is "${spec.path}"`,
          { source: name },
        );
      }
      const { bytes, path } = await ports.openPath(spec.path).catch((error) => {
        if (!(error instanceof Problem)) throw error;
        throw new Problem(error.kind, error.message, { source: name, ...error.members }, error);
      });
      return { bytes, known: {}, at: { ...spec, path } };
    }
    case "hub": {
      const { hub = { url: PUBLIC_HUB, headers: {} }, fetch } = ports;
      const { headers } = spec;
      const file = await openHub(name, spec, { hub, fetch, headers, signal });
      return { bytes: file.bytes, known: { id: file.id }, at: file.spec };
    }
  }
}

function digestOf(id: BlobId): Omit<InputProvenance, "bytes"> {
  return { id, sha256: id.slice("sha256:".length) };
}

function unknownSource(name: string, reason: string): Problem {
  return new Problem("unknown-source", `Cannot find source "${name}" as ${reason}`, {
    source: name,
  });
}
