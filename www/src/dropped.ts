// The files of a drop, those inside dropped folders too.

/** A dropped folder may be a whole disk: no more files than these are looked at. */
const MAX_FILES = 4096;

/** Must be called while the event is handled: the browser empties the transfer afterwards. */
export function droppedFiles(transfer: DataTransfer): Promise<File[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  const plain = [...transfer.files];
  return entries.some((entry) => entry?.isDirectory) ? walk(entries) : Promise.resolve(plain);
}

async function walk(entries: readonly (FileSystemEntry | null)[]): Promise<File[]> {
  const files: File[] = [];
  const waiting = entries.filter((entry) => entry !== null);
  for (let entry = waiting.shift(); entry && files.length < MAX_FILES; entry = waiting.shift()) {
    if (entry.isFile) {
      files.push(await fileOf(entry as FileSystemFileEntry));
    } else {
      waiting.push(...(await contentOf(entry as FileSystemDirectoryEntry)));
    }
  }
  return files;
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** A folder is read in portions, until one is empty. */
async function contentOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0 || all.length >= MAX_FILES) {
      return all;
    }
    all.push(...some);
  }
}
