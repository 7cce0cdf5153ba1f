/**
 * The port of the blob store: immutable content-addressed bytes that appear whole or not at all.
 *
 * @module
 */
import type { Bytes, ByteSource } from "../checkpoint/byte_source.ts";

/** `sha256:` followed by 64 lower-case hexadecimal digits. */
export type BlobId = `sha256:${string}`;

/** A running SHA-256. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** The 32 bytes of the digest; the hasher is spent afterwards. */
  digest(): Uint8Array;
  /** Another one of the same bytes so far. */
  copy(): Hasher;
}

/** Makes a running SHA-256; the host supplies its fastest. */
export type MakeHasher = () => Hasher;

/** What {@linkcode BlobWriter.commit} tells of the blob. */
export interface CommittedBlob {
  readonly id: BlobId;
  readonly bytes: number;
  /** False if the same bytes were stored before. */
  readonly created: boolean;
}

/** Bytes on their way into the store; invisible until committed. */
export interface BlobWriter {
  /** Bytes written so far. */
  readonly bytes: number;
  /** Appends a chunk, which is the caller's again once this resolves (back-pressure). */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * What was written so far as a source, so that a header can be checked before anything is visible.
   * Valid until `commit` or `abort`.
   */
  written(): Promise<ByteSource>;
  /**
   * Ends the writing without making anything visible: the digest, and the bytes as a source that is
   * valid until `abort`. For bytes that are needed for one request only.
   */
  seal(): Promise<{ readonly id: BlobId; readonly source: ByteSource }>;
  /** Makes the blob visible under the digest of its bytes. */
  commit(): Promise<CommittedBlob>;
  /** Drops everything; safe to call at any time, also after `commit` (then it does nothing). */
  abort(): Promise<void>;
}

/** What is known to be whole of bytes that a process left. */
export interface PartMark {
  readonly bytes: number;
  /** Their SHA-256, 64 hexadecimal digits. */
  readonly sha256: string;
}

/** Bytes that outlive their process while they are written. */
export interface PartWriter extends BlobWriter {
  /** Makes durable what was written so far; more may be written meanwhile. */
  flush(): Promise<PartMark>;
  /** Ends the writing; what was flushed stays for whoever goes on with it. */
  leave(): Promise<void>;
}

/** Unfinished bytes by name; no id leads to them. */
export interface PartStore {
  /**
   * Goes on behind the bytes that a mark tells of, if they are there as it says; else, and without a mark, begins
   * anew, so that the writer has no bytes.
   */
  open(name: string, mark?: PartMark): Promise<PartWriter>;
  /** Removes what is kept under a name, if anything is. */
  remove(name: string): Promise<void>;
  /** All names. */
  names(): Promise<string[]>;
}

/** Where weights and results are kept. */
export interface BlobStore {
  /**
   * Starts a blob.
   *
   * @throws {Problem} `insufficient-storage` from `write` or `commit` if the store is full.
   */
  create(): Promise<BlobWriter>;
  /** Opens a blob, or answers undefined. Keeps it readable until closed even if deleted meanwhile. */
  open(id: BlobId): Promise<ByteSource | undefined>;
  /** Size in bytes, or undefined. */
  size(id: BlobId): Promise<number | undefined>;
  /** Removes a blob; false if there was none. */
  remove(id: BlobId): Promise<boolean>;
  /** All ids, in ascending order. */
  list(): Promise<BlobId[]>;
  /** Unfinished bytes; absent where nothing can be gone on with. */
  readonly parts?: PartStore;
}

/** Chunks of own memory read from a source in order, for streaming a blob out. */
export type ByteChunks = AsyncIterable<Bytes>;
