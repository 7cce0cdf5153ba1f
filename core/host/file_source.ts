/**
 * A byte source over a file of the server.
 *
 * @module
 */
import type { BytePlace, Bytes, ByteSource } from "../checkpoint/byte_source.ts";
import { checkRange } from "../checkpoint/byte_range.ts";
import { Problem } from "../problem.ts";

/** Reads that may be under way at once; each needs a handle, as a handle has one position. */
const HANDLES = 4;

/** Bytes that are read without a turn of the event loop, which takes longer. */
const SHORT = 131_072;

/** How a file is opened. */
export interface OpenFileOptions {
  /** Whether it is on a disk that answers soon: it is opened, and little of it read, while the thread waits. */
  readonly near?: boolean;
}

/** Where a file is; another one that has taken over its name is not meant. */
export interface FilePlace extends BytePlace {
  readonly path: string;
  readonly dev: number;
  readonly ino: number | null;
}

/**
 * Opens a file for random access. The file stays readable until closed, even if its name is removed or
 * given to another file meanwhile.
 *
 * @throws {Problem} `not-found` if there is no such file or it may not be read; from `slice`,
 * `invalid-checkpoint` with `byte` if the file has become shorter than it was.
 */
export async function openFile(
  path: string,
  { near = false }: OpenFileOptions = {},
): Promise<ByteSource> {
  const first = await openHandle(path, near);
  const { size, dev, ino } = first.info;
  const idle: Deno.FsFile[] = [first.file];
  const waiting: { resume(file: Deno.FsFile): void; fail(error: unknown): void }[] = [];
  let handles = 1;
  let limit = HANDLES;
  let closed = false;

  /** Another handle on the same file, or undefined where the name stands for another one by now. */
  async function another(): Promise<Deno.FsFile | undefined> {
    let opened: OpenedHandle;
    try {
      opened = await openHandle(path, near);
    } catch {
      return undefined;
    }
    if (opened.info.dev === dev && opened.info.ino === ino) return opened.file;
    opened.file.close();
    return undefined;
  }

  async function take(): Promise<Deno.FsFile> {
    const file = idle.pop();
    if (file !== undefined) return file;
    if (handles < limit) {
      handles++;
      const opened = await another();
      if (opened !== undefined) return opened;
      handles--;
      limit = handles;
    }
    return idle.pop() ?? await new Promise((resume, fail) => waiting.push({ resume, fail }));
  }

  function give(file: Deno.FsFile): void {
    if (closed) return file.close();
    const next = waiting.shift();
    if (next === undefined) idle.push(file);
    else next.resume(file);
  }

  async function readInto(target: Bytes, start: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    checkRange(start, start + target.length, size, closed);
    const file = await take();
    try {
      checkRange(start, start + target.length, size, closed);
      await fill(file, target, start, signal);
    } finally {
      give(file);
    }
  }

  function readNow(target: Bytes, start: number): boolean {
    const file = closed || start + target.length > size ? undefined : idle.pop();
    if (!file) return false;
    try {
      return fillNow(file, target, start);
    } finally {
      give(file);
    }
  }

  return {
    byteLength: size,
    place: { path, dev, ino } satisfies FilePlace,
    readInto,
    readNow,
    async slice(start: number, end: number, signal?: AbortSignal): Promise<Bytes> {
      signal?.throwIfAborted();
      checkRange(start, end, size, closed);
      const bytes = new Uint8Array(end - start);
      if (!near || bytes.length > SHORT || !readNow(bytes, start)) {
        await readInto(bytes, start, signal);
      }
      return bytes;
    },
    close() {
      if (closed) return;
      closed = true;
      for (const file of idle.splice(0)) file.close();
      const error = new RangeError("Cannot read the source as it is closed");
      for (const { fail } of waiting.splice(0)) fail(error);
    },
  };
}

interface OpenedHandle {
  readonly file: Deno.FsFile;
  readonly info: Deno.FileInfo;
}

async function openHandle(path: string, near: boolean): Promise<OpenedHandle> {
  // Only the last part: the folders of the server are nobody's business.
  const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  let file: Deno.FsFile;
  try {
    file = near ? Deno.openSync(path, { read: true }) : await Deno.open(path, { read: true });
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound ? "exist" : "be readable";
    const detail = `Cannot open the file as it must ${reason}: current value is ${name}`;
    throw new Problem("not-found", detail, {}, error);
  }
  try {
    const info = near ? file.statSync() : await file.stat();
    if (info.isFile) return { file, info };
  } catch (error) {
    file.close();
    throw error;
  }
  file.close();
  throw new Problem(
    "not-found",
    `Cannot open the file as it must be a plain file: current value is ${name}`,
  );
}

async function fill(
  file: Deno.FsFile,
  bytes: Uint8Array,
  start: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  file.seekSync(start, Deno.SeekMode.Start);
  for (let position = 0; position < bytes.length;) {
    const count = await file.read(bytes.subarray(position));
    signal?.throwIfAborted();
    if (count === null) {
      throw new Problem(
        "invalid-checkpoint",
        `Cannot read the file as it ended early: ${bytes.length} bytes were asked for at byte ` +
          `${start}: current value is ${position}`,
        { byte: start + position },
      );
    }
    position += count;
  }
}

/** What fails here, the reader that waits tries again, and tells what is wrong. */
function fillNow(file: Deno.FsFile, bytes: Uint8Array, start: number): boolean {
  try {
    file.seekSync(start, Deno.SeekMode.Start);
    for (let position = 0; position < bytes.length;) {
      const count = file.readSync(bytes.subarray(position));
      if (count === null) return false;
      position += count;
    }
    return true;
  } catch {
    return false;
  }
}
