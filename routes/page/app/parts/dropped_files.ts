/**
 * The files of a drop; those of a folder keep the path that they have in it.
 *
 * @module
 */

/** Files that are taken of one drop: who drops a disk by mistake does not wait for it. */
const LIMIT = 2000;

/** The files of a drop. Must be called before the event is over; folders are read afterwards. */
export function droppedFiles(transfer: DataTransfer | null): Promise<File[]> {
  const entries = [...transfer?.items ?? []].flatMap((item) => {
    const entry = item.kind === "file" ? item.webkitGetAsEntry() : null;
    return entry ? [entry] : [];
  });
  const plain = [...transfer?.files ?? []];
  // A browser without entries gives plain files.
  return entries.length === 0 ? Promise.resolve(plain) : filesOf(entries);
}

async function filesOf(entries: readonly FileSystemEntry[]): Promise<File[]> {
  const found: File[] = [];
  const open = [...entries];
  for (let entry = open.shift(); entry && found.length < LIMIT; entry = open.shift()) {
    if (entry.isDirectory) open.unshift(...await childrenOf(entry as FileSystemDirectoryEntry));
    else found.push(await fileOf(entry as FileSystemFileEntry));
  }
  return found;
}

async function fileOf(entry: FileSystemFileEntry): Promise<File> {
  const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
  const path = entry.fullPath.replace(/^\//, "");
  // As of a chosen folder: files of an entry do not have it.
  if (path.includes("/")) Object.defineProperty(file, "webkitRelativePath", { value: path });
  return file;
}

async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const children: FileSystemEntry[] = [];
  // It answers a part at a time, and nothing at the end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject)
    );
    if (some.length === 0 || children.length > LIMIT) return children;
    children.push(...some);
  }
}
