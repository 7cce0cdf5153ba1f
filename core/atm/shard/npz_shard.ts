/**
 * Shards in .npz: a zip archive of NumPy arrays. Nothing in it is ever unpickled.
 *
 * @module
 */
import { untilAborted } from "../../checkpoint/backoff.ts";
import { Problem } from "../../problem.ts";
import { elementCount } from "../../tensor/dtype.ts";
import { swapBytes, toRowMajor } from "./array_order.ts";
import { NPY_HEADER_BYTES, NpyFault, type NpyHeader, parseNpyHeader } from "./npy_header.ts";
import { type ReadRows, rowsOfBytes, rowsOfFile } from "./read_rows.ts";
import { DECODED_BYTES, type ShardColumn, type ShardParts, shardProblem } from "./shard.ts";
import type { ShardFile } from "./shard_file.ts";
import { readBeginning, readContent } from "./zip_content.ts";
import { memberStart, readZipDirectory, type ZipMember } from "./zip_directory.ts";

/**
 * The columns of a shard in .npz. Stored arrays in row-major order are read by rows; compressed and column-major
 * ones are held as a whole from their first use on.
 *
 * @param limit How many bytes may be held so, of all arrays together.
 * @throws {Problem} `invalid-checkpoint` with `byte` or `tensor` if the archive or an array is damaged,
 * `unsupported-format` if it holds no arrays, `mismatch` if an array has no rows; whatever the source throws.
 */
export async function npzParts(
  file: ShardFile,
  signal?: AbortSignal,
  limit: number = DECODED_BYTES,
): Promise<ShardParts> {
  const members = await readZipDirectory(file, signal);
  const arrays = members.filter(({ name }) => name.endsWith(".npy"));
  if (arrays.length === 0) throw noArrays(file);
  const budget = { left: limit, limit };
  const columns: ShardParts["columns"][number][] = [];
  const refused = new Map<string, Problem>();
  for (const member of arrays) {
    const name = member.name.slice(0, -".npy".length);
    const header = await readHeader(file, member, name, signal);
    if (header instanceof Problem) refused.set(name, header);
    else columns.push(await columnOf(file, member, name, header, budget, signal));
  }
  return { columns, refused };
}

function noArrays({ name }: ShardFile): Problem {
  return new Problem(
    "unsupported-format",
    `Cannot read the shard ${JSON.stringify(name)} as the archive must hold NumPy arrays (.npy): ` +
      "current value is none. The tensors of a PyTorch file (.pt, .pth, .bin) must be saved with " +
      "safetensors.torch.save_file",
    { source: name, format: "zip" },
  );
}

async function readHeader(
  file: ShardFile,
  member: ZipMember,
  name: string,
  signal?: AbortSignal,
): Promise<NpyHeader | Problem> {
  const bytes = await readBeginning(file, member, NPY_HEADER_BYTES, signal);
  try {
    const header = parseNpyHeader(bytes);
    if (!("refused" in header)) return header;
    return shardProblem(
      "unsupported-dtype",
      file.name,
      `Cannot use the array ${JSON.stringify(name)} of the shard ${
        JSON.stringify(file.name)
      } as it ` +
        `${header.refused}: current dtype is ${header.descr}`,
      { tensor: name, dtype: header.descr },
    );
  } catch (error) {
    if (!(error instanceof NpyFault)) throw error;
    throw arrayFault(file, name, error.message, member.header);
  }
}

function arrayFault(file: ShardFile, tensor: string, what: string, byte: number): Problem {
  return shardProblem(
    "invalid-checkpoint",
    file.name,
    `Cannot read the array ${JSON.stringify(tensor)} of the shard ${
      JSON.stringify(file.name)
    } as ` +
      what,
    { tensor, byte },
  );
}

/** What is left of the bytes that may be held. */
interface Budget {
  left: number;
  readonly limit: number;
}

async function columnOf(
  file: ShardFile,
  member: ZipMember,
  name: string,
  header: NpyHeader,
  budget: Budget,
  signal?: AbortSignal,
): Promise<{ column: ShardColumn; rows: number }> {
  const { type, width, shape, start, bigEndian } = header;
  const [rows, ...rowShape] = shape;
  if (rows === undefined) {
    throw shardProblem(
      "mismatch",
      file.name,
      `Cannot read the array ${JSON.stringify(name)} of the shard ${
        JSON.stringify(file.name)
      } as ` +
        "its first dimension must count the rows: current shape is ()",
      { tensor: name },
    );
  }
  const rowBytes = elementCount(rowShape) * width;
  const bytes = rows * rowBytes;
  if (start + bytes !== member.size) {
    const what = `its ${elementCount(shape)} elements must take ${bytes} bytes: ` +
      `current value is ${member.size - start}`;
    throw arrayFault(file, name, what, member.header);
  }
  // An array of one dimension is the same in either order.
  const transposed = header.columnMajor && rowShape.length > 0 && bytes > 0;
  const plain = member.method === "stored" && !transposed;
  const readPlain = plain
    ? rowsOfFile(file, { start: await memberStart(file, member, signal) + start, rows, rowBytes })
    : heldRows(file, member, name, header, transposed, budget);
  const read: ReadRows = bigEndian
    ? async (indices, signal) => {
      const found = await readPlain(indices, signal);
      swapBytes(found, width);
      return found;
    }
    : readPlain;
  return { column: { name, type, shape: rowShape, read }, rows };
}

/** Reads rows of an array that is held as a whole from the first read on. */
function heldRows(
  file: ShardFile,
  member: ZipMember,
  name: string,
  { shape, width, start }: NpyHeader,
  transposed: boolean,
  budget: Budget,
): ReadRows {
  const [rows = 0, ...rowShape] = shape;
  let loading: Promise<ReadRows> | undefined;
  const load = async (): Promise<ReadRows> => {
    if (member.size > budget.left) throw tooLarge(file, name, member.size, budget);
    budget.left -= member.size;
    try {
      const elements = (await readContent(file, member)).subarray(start);
      const bytes = transposed ? toRowMajor(elements, shape, width) : elements;
      return rowsOfBytes(bytes, elementCount(rowShape) * width, rows);
    } catch (error) {
      budget.left += member.size;
      throw error;
    }
  };
  return async (indices, signal) => {
    // All who read share the array, so that none of them may abort it.
    const mine = loading ??= load();
    mine.catch(() => {
      // What failed once, such as a server, may do better the next time.
      if (loading === mine) loading = undefined;
    });
    const read = await (signal === undefined ? mine : untilAborted(mine, signal));
    return await read(indices, signal);
  };
}

function tooLarge(file: ShardFile, tensor: string, size: number, { limit, left }: Budget): Problem {
  return shardProblem(
    "too-large",
    file.name,
    `Cannot hold the array ${JSON.stringify(tensor)} of the shard ${
      JSON.stringify(file.name)
    } as ` +
      `compressed or column-major arrays may take ${limit} bytes together, of which ${left} are ` +
      "left; save it with numpy.savez or as safetensors, whose rows are read one by one: " +
      `current value is ${size}`,
    { tensor, limit, value: size },
  );
}
