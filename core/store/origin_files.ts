/**
 * The part of the browser's own files (OPFS) that the store uses; the DOM library does not know all of it.
 *
 * @module
 */

/** Synchronous access to one file, which nobody else can open meanwhile. */
export interface WriteHandle {
  /** Writes at a place and answers how many bytes it took. */
  write(bytes: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number;
  /** Fills memory from a place and answers how many bytes there were. */
  read(target: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number;
  flush(): void;
  close(): void;
}

/** A file. */
export interface OriginFile {
  /** Its content now; fails to be read once the file has changed or is gone. */
  getFile(): Promise<Blob>;
  createSyncAccessHandle(): Promise<WriteHandle>;
  /** Gives it another folder and name at once, in place of what is there. */
  move(folder: OriginFolder, name: string): Promise<void>;
}

/** A folder. */
export interface OriginFolder {
  getDirectoryHandle(name: string, options?: { readonly create: boolean }): Promise<OriginFolder>;
  getFileHandle(name: string, options?: { readonly create: boolean }): Promise<OriginFile>;
  removeEntry(name: string): Promise<void>;
  /** Names of all that is in it. */
  keys(): AsyncIterable<string>;
}

/** What is asked for, or undefined where it is not there. */
export async function ifFound<T>(find: () => Promise<T>): Promise<T | undefined> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotFoundError") return undefined;
    throw error;
  }
}
