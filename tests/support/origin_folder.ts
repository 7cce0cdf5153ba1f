/**
 * The browser's own files in memory, with its rules: one writer at a time, snapshots, a quota.
 *
 * @module
 */
import type { OriginFile, OriginFolder, WriteHandle } from "../../core/store/origin_files.ts";

/** What all folders of one origin share. */
interface Room {
  quota: number;
  used: number;
  /** Handles that are open. */
  handles: number;
}

/** An origin's empty folder, and what the browser counts. */
export function originFolder(
  quota = Infinity,
): { readonly folder: OriginFolder; readonly room: Room } {
  const room: Room = { quota, used: 0, handles: 0 };
  return { folder: createFolder(room), room };
}

interface Content {
  bytes: Uint8Array<ArrayBuffer>;
  /** Grows with every change. */
  version: number;
  written: boolean;
}

const contents = new WeakMap<OriginFolder, Map<string, Content>>();

function fault(name: string): DOMException {
  return new DOMException(`The origin's files answer ${name}`, name);
}

function createFolder(room: Room): OriginFolder {
  const folders = new Map<string, OriginFolder>();
  const files = new Map<string, Content>();
  const folder: OriginFolder = {
    getDirectoryHandle(name, options) {
      const found = folders.get(name) ?? (options?.create ? createFolder(room) : undefined);
      if (!found) return Promise.reject(fault("NotFoundError"));
      folders.set(name, found);
      return Promise.resolve(found);
    },
    getFileHandle(name, options) {
      const found = files.get(name) ??
        (options?.create ? { bytes: new Uint8Array(), version: 0, written: false } : undefined);
      if (!found) return Promise.reject(fault("NotFoundError"));
      files.set(name, found);
      return Promise.resolve(fileHandle(room, files, name, found));
    },
    removeEntry(name) {
      const content = files.get(name);
      if (!content) return Promise.reject(fault("NotFoundError"));
      if (content.written) return Promise.reject(fault("NoModificationAllowedError"));
      files.delete(name);
      content.version++;
      room.used -= content.bytes.length;
      return Promise.resolve();
    },
    async *keys() {
      yield* [...files.keys()];
    },
  };
  contents.set(folder, files);
  return folder;
}

function fileHandle(
  room: Room,
  files: Map<string, Content>,
  name: string,
  content: Content,
): OriginFile {
  return {
    getFile: () => Promise.resolve(new Snapshot(content)),
    createSyncAccessHandle() {
      if (content.written) return Promise.reject(fault("NoModificationAllowedError"));
      content.written = true;
      room.handles++;
      return Promise.resolve(writeHandle(room, content));
    },
    move(target, next) {
      if (content.written) return Promise.reject(fault("NoModificationAllowedError"));
      const to = contents.get(target)!;
      const before = to.get(next);
      if (before) {
        before.version++;
        room.used -= before.bytes.length;
      }
      files.delete(name);
      to.set(next, content);
      content.version++;
      return Promise.resolve();
    },
  };
}

function writeHandle(room: Room, content: Content): WriteHandle {
  let open = true;
  const check = () => {
    if (!open) throw fault("InvalidStateError");
  };
  return {
    write(bytes, { at }) {
      check();
      const grown = Math.max(0, at + bytes.length - content.bytes.length);
      if (room.used + grown > room.quota) throw fault("QuotaExceededError");
      room.used += grown;
      const next = new Uint8Array(content.bytes.length + grown);
      next.set(content.bytes);
      next.set(bytes, at);
      content.bytes = next;
      content.version++;
      return bytes.length;
    },
    read(target, { at }) {
      check();
      const part = content.bytes.subarray(at, at + target.length);
      target.set(part);
      return part.length;
    },
    flush: check,
    close() {
      if (!open) return;
      open = false;
      content.written = false;
      room.handles--;
    },
  };
}

/** A file as it was; nothing can be read of it once it has changed. */
class Snapshot extends Blob {
  readonly #content: Content;
  readonly #version: number;

  constructor(content: Content) {
    super([content.bytes]);
    this.#content = content;
    this.#version = content.version;
  }

  override slice(start?: number, end?: number): Blob {
    const part = super.slice(start, end);
    if (this.#content.version === this.#version) return part;
    return Object.assign(part, { arrayBuffer: () => Promise.reject(fault("NotReadableError")) });
  }
}
