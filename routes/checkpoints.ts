/**
 * The resource `/checkpoints`.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { openSafetensors } from "../core/checkpoint/open_safetensors.ts";
import { Problem } from "../core/problem.ts";
import { isBlobId } from "../core/store/blob_id.ts";
import type { BlobId } from "../core/store/blobs.ts";
import {
  type CheckpointStore,
  removeCheckpoint,
  storeCheckpoint,
} from "../core/store/checkpoints.ts";
import { inPhase } from "../core/telemetry/phase.ts";
import { getManifest, listManifests, type Manifest, toldManifest } from "../core/store/records.ts";
import { bodyChunks } from "./http/body_chunks.ts";
import { respondWithSource } from "./http/byte_ranges.ts";
import { announcedDigest } from "./http/digest.ts";
import { storedHeaders } from "./http/stored_headers.ts";
import { takes, told } from "./http/typed.ts";
import type { UploadGate } from "./http/upload_gate.ts";

/** What the resource stands on. */
export interface CheckpointPorts extends CheckpointStore {
  /** Limit of one checkpoint in bytes. */
  readonly maximumUpload: number;
  /** How bodies are received; without bounds if absent. */
  readonly gate?: UploadGate;
}

const TYPE = "application/octet-stream";
const PAGE = 100;

/** Header fields of ranges and preconditions. */
interface RangeFields {
  readonly range?: string;
  readonly "if-range"?: string;
  readonly "if-match"?: string;
  readonly "if-none-match"?: string;
}

/** The resource's routes. */
export function checkpointRoutes(ports: CheckpointPorts) {
  return new Hono()
    .post("/checkpoints", (context) => told<Manifest>(store(ports, context)))
    .get(
      "/checkpoints",
      takes<{ query?: { limit?: string; after?: string } }>(),
      async (context) => {
        const { limit = String(PAGE), after = "" } = context.req.query();
        const { items, next } = await listManifests(ports.records, { limit: Number(limit), after });
        return context.json({ checkpoints: items.map(toldManifest), next: next ?? null });
      },
    )
    .get("/checkpoints/:id/tensors", async (context) => {
      const source = await open(ports, idOf(context.req.param("id")));
      try {
        const { kind, tensors, metadata } = await openSafetensors(source);
        return context.json({
          kind,
          metadata,
          tensors: [...tensors.values()].map(({ name, dtype, shape, start, end }) => ({
            name,
            dtype,
            shape,
            bytes: end - start,
          })),
        });
      } finally {
        source.close?.();
      }
    })
    // Hono answers HEAD by the GET route; the body is never made then.
    .get("/checkpoints/:id", takes<{ header?: RangeFields }>(), async (context) => {
      const id = idOf(context.req.param("id"));
      const { contentType, headers } = storedHeaders(
        await getManifest(ports.records, id) ?? { id },
      );
      return respondWithSource(context.req.raw, await open(ports, id), {
        etag: `"${id}"`,
        contentType,
        headers: {
          ...headers,
          "cache-control": "private, immutable, max-age=31536000",
        },
      });
    })
    .delete("/checkpoints/:id", async (context) => {
      await removeCheckpoint(ports, idOf(context.req.param("id")));
      return context.body(null, 204);
    });
}

async function store(ports: CheckpointPorts, context: Context): Promise<Response> {
  const request = context.req.raw;
  const type = request.headers.get("content-type") ?? TYPE;
  if (/^(multipart|text)\/|json|yaml|urlencoded/i.test(type)) {
    throw new Problem(
      "unsupported-media-type",
      `Cannot store the body as its type must be ${TYPE}, the bytes of one safetensors file: ` +
        `current value is ${type}`,
      { accepted: [TYPE] },
    );
  }
  const length = request.headers.get("content-length");
  const digest = announcedDigest(request.headers);
  const config = request.headers.get("adapter-config");
  const { manifest, created } = await inPhase("receive", () =>
    storeCheckpoint(
      ports,
      bodyChunks(request, { maximum: ports.maximumUpload, gate: ports.gate }),
      {
        maximum: ports.maximumUpload,
        ...(length === null ? {} : { length: Number(length) }),
        ...(digest ? { digest } : {}),
        ...(config === null ? {} : { adapterConfig: config }),
      },
    ));
  return context.json(manifest, created ? 201 : 200, { location: `/checkpoints/${manifest.id}` });
}

function idOf(text: string): BlobId {
  if (isBlobId(text)) return text;
  throw new Problem(
    "not-found",
    `There is no checkpoint under this id, which must be sha256: and 64 hexadecimal digits: ` +
      `current value is ${text}`,
  );
}

async function open(ports: CheckpointPorts, id: BlobId) {
  const source = await ports.leases.open(id);
  if (source) return source;
  throw new Problem("not-found", `There is no checkpoint under this id: current value is ${id}`);
}
