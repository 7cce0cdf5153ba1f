/**
 * How stored bytes are described when they are answered.
 *
 * @module
 */
import type { BlobId } from "../../core/store/blobs.ts";
import { digestField } from "./digest.ts";

/** What is known of stored bytes. */
export interface StoredBytes {
  readonly id: BlobId;
  readonly kind?: string;
  readonly media_type?: string;
  readonly name?: string;
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  "application/zip": ".zip",
  "image/svg+xml": ".svg",
  "text/csv": ".csv",
};

/** Type, name and digest of an answer. */
export function storedHeaders({ id, kind, media_type, name }: StoredBytes): {
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
} {
  const contentType = media_type ?? "application/octet-stream";
  const extension = media_type === undefined
    ? kind === "model" ? ".onnx" : ".safetensors"
    : EXTENSIONS[contentType.split(";")[0]!] ?? "";
  return {
    contentType,
    headers: {
      "repr-digest": digestField(id),
      "content-disposition": attachment(name ?? id.slice(7, 19) + extension),
    },
  };
}

/** A `Content-Disposition` for saving under a name, which may hold any character. */
export function attachment(name: string): string {
  const ascii = name.replaceAll(/[^\w.-]/g, "_");
  const plain = `attachment; filename="${ascii}"`;
  return ascii === name ? plain : `${plain}; filename*=UTF-8''${encodeURIComponent(name)}`;
}

/** The name that a `Content-Disposition` of {@linkcode attachment} gives, if there is one. */
export function attachmentName(header: string | null): string | undefined {
  const [, encoded, plain] = /filename\*=UTF-8''([^;]+)|filename="([^"]+)"$/.exec(header ?? "") ??
    [];
  return encoded === undefined ? plain : decodeURIComponent(encoded);
}
