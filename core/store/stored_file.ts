/**
 * Stores results that are no checkpoint, such as an archive, a picture or a table: as they are, under their digest.
 *
 * @module
 */
import type { BlobWriter } from "./blobs.ts";
import type { CheckpointStore } from "./checkpoints.ts";
import { heldFurther, type Holder } from "./holders.ts";
import { getManifest, type Manifest, putManifest } from "./records.ts";

/** How a file is described. */
export interface FileDescription {
  readonly media_type: string;
  /** For saving it; absent where nothing names it. */
  readonly name?: string;
  /** Whom alone it is stored for. */
  readonly holder: Holder;
}

/** Makes a stored file of bytes that are all written. The caller aborts the writer in the end. */
export async function finishFile(
  { leases, records }: Pick<CheckpointStore, "leases" | "records">,
  writer: BlobWriter,
  { holder, ...described }: FileDescription,
): Promise<Manifest> {
  const sealed = await writer.seal();
  return await leases.alone(sealed.id, async () => {
    const { id, bytes, created } = await writer.commit();
    const known = created ? undefined : await getManifest(records, id);
    const manifest: Manifest = known ? heldFurther(known, holder) : {
      id,
      bytes,
      kind: "file",
      tensors: 0,
      parameters: 0,
      created: new Date().toISOString(),
      ...described,
      held_by: [holder],
    };
    if (manifest !== known) await putManifest(records, manifest);
    return manifest;
  });
}
