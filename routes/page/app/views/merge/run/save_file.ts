/**
 * Where a result goes as it streams: a file that the visitor chose, or a file of the browser's own that is then
 * downloaded. Neither is held in memory.
 *
 * @module
 */

/** A place that takes a stream. */
export interface Saving {
  readonly stream: WritableStream<Uint8Array<ArrayBuffer>>;
  /** What the visitor is told of it. */
  readonly note: string;
  /** Gives the file to the visitor, after the stream was closed. */
  finish(): Promise<void>;
  /** Leaves nothing behind of a result that did not come to its end. */
  discard(): Promise<void>;
}

/** What Chromium offers and TypeScript's DOM does not know. */
interface PickerWindow {
  showSaveFilePicker?(options: {
    readonly suggestedName: string;
  }): Promise<FileSystemFileHandle>;
}

/** Folder of files that wait to be downloaded. */
const FOLDER = "amalgam-downloads";
/** Time that a browser has to begin a download. */
const KEPT_MS = 60_000;
/** Age at which a file belongs to nobody any more. */
const LEFT_MS = 24 * 3_600_000;

/**
 * Opens a place for a result. Must be called by a click, as it may ask where.
 *
 * @returns Undefined if the visitor was asked and chose nothing.
 */
export async function openSaving(name: string): Promise<Saving | undefined> {
  const picker = globalThis as PickerWindow;
  if (picker.showSaveFilePicker) {
    try {
      const handle = await picker.showSaveFilePicker({ suggestedName: name });
      const stream = await handle.createWritable();
      return {
        stream,
        note: `Saved to ${handle.name} as it comes.`,
        finish: () => Promise.resolve(),
        discard: () => aborted(stream),
      };
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return undefined;
      // A frame or a policy may forbid the question; a download works there too.
    }
  }
  return await privateFile(name) ?? inMemory(name);
}

/** Removes what earlier visits left behind; another page may still be at work on what is younger. */
export async function removeLeftDownloads(now = Date.now()): Promise<void> {
  try {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(FOLDER);
    for await (const name of folder.keys()) {
      if (now - Number(name.split("-")[0]) > LEFT_MS) await folder.removeEntry(name);
    }
  } catch {
    // There is none, or it is in use.
  }
}

/** A file of the browser's own, for which there is room on its disk. */
async function privateFile(name: string): Promise<Saving | undefined> {
  try {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(FOLDER, { create: true });
    const id = `${Date.now()}-${crypto.randomUUID()}`;
    const handle = await folder.getFileHandle(id, { create: true });
    const stream = await handle.createWritable();
    const remove = () => folder.removeEntry(id).catch(() => {});
    return {
      stream,
      note: "Written to this browser's disk first, and then downloaded.",
      async finish() {
        download(await handle.getFile(), name);
        setTimeout(remove, KEPT_MS);
      },
      async discard() {
        await aborted(stream);
        await remove();
      },
    };
  } catch {
    return undefined;
  }
}

/** For browsers that offer no file to write to. */
function inMemory(name: string): Saving {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  return {
    stream: new WritableStream({ write: (chunk) => void chunks.push(chunk) }),
    note: "This browser offers no file to write to: the result is held in memory until its end.",
    finish() {
      download(new Blob(chunks), name);
      return Promise.resolve();
    },
    discard() {
      chunks.length = 0;
      return Promise.resolve();
    },
  };
}

/** A stream may be aborted already, by what it was piped from. */
async function aborted(stream: WritableStream): Promise<void> {
  await stream.abort().catch(() => {});
}

function download(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
