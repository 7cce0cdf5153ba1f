/**
 * `POST /adapters`: extracts a LoRA adapter from a task vector, and stores it.
 *
 * @module
 */
import { Hono } from "hono";
import type { ExtractedModule, Extraction } from "../core/adapters/extract.ts";
import {
  type ExtractionDocument,
  type ExtractionInput,
  extractionSources,
  parseExtraction,
} from "../core/adapters/extraction_document.ts";
import type { MemoryBudget } from "../core/memory_budget.ts";
import { bindSources } from "../core/merge/sources.ts";
import {
  openSources,
  type SourcePorts,
  type UploadedSource,
} from "../core/sources/open_sources.ts";
import type { BlobId } from "../core/store/blobs.ts";
import { type CheckpointStore, storeCheckpoint } from "../core/store/checkpoints.ts";
import { type LongCallPorts, runRequest } from "./http/run_request.ts";
import { type DocumentInput, takes, told } from "./http/typed.ts";

/** What the resource stands on. */
export interface AdapterPorts extends LongCallPorts, CheckpointStore {
  readonly sources: SourcePorts;
  /** Memory of matrices that are in work at once; not counted if absent. */
  readonly memory?: MemoryBudget;
}

/** What is answered. */
interface Answer extends Extraction {
  readonly id: BlobId;
  readonly checkpoint: { readonly id: BlobId };
}

/** The resource's routes. */
export function adapterRoutes(ports: AdapterPorts) {
  return new Hono().post(
    "/adapters",
    takes<DocumentInput<ExtractionInput>>(),
    (context) =>
      told<Answer>(runRequest(ports, context.req.raw, {
        format: { part: "request", parse: parseExtraction, names: extractionSources },
        work: (document, { uploads, signal, tell }) =>
          extract(
            ports,
            document,
            uploads,
            signal,
            (module) => tell({ event: "module", ...module }),
          ),
        render: (answer) => context.json(answer, 201, { location: `/checkpoints/${answer.id}` }),
        result: (answer) => ({ event: "result", ...answer }),
      })),
  );
}

async function extract(
  ports: AdapterPorts,
  document: ExtractionDocument,
  uploads: ReadonlyMap<string, UploadedSource>,
  signal: AbortSignal,
  onModule: (module: ExtractedModule) => void,
): Promise<Answer> {
  const specs = bindSources(extractionSources(document), document.sources, {
    uploads: uploads.keys(),
  });
  // With the first request, so that a process starts without it.
  const { extractAdapter } = await import("../core/adapters/extract.ts");
  const opened = await openSources(specs, uploads, ports.sources, signal);
  const writer = await ports.blobs.create();
  try {
    const { extraction, bytes } = await extractAdapter(document, {
      checkpoints: new Map([...opened].map(([name, { checkpoint }]) => [name, checkpoint])),
      writer,
      ...(ports.memory ? { memory: ports.memory } : {}),
      signal,
      onModule,
    });
    const { manifest: { id } } = await storeCheckpoint(ports, bytes, { signal });
    return { id, checkpoint: { id }, ...extraction };
  } finally {
    for (const { checkpoint } of opened.values()) checkpoint.close();
    await writer.abort();
  }
}
