/**
 * Reads the footer of a Parquet file: its schema and where the values of every column lie.
 *
 * @module
 */
import { type FileMetaData, parquetMetadata } from "hyparquet";
import { Problem } from "../../problem.ts";
import { shardProblem } from "./shard.ts";
import type { ShardFile } from "./shard_file.ts";

/** Length of the footer and the mark that end the file. */
const TAIL_BYTES = 8;
const MARK = 0x31524150;
const LITTLE = true;
/** A column takes some hundred bytes for each row group; a longer footer is no shard's. */
const FOOTER_LIMIT = 4_194_304;
/** The longest run of bytes from 0x80 on: a number of that many bytes would keep the parser busy for long. */
const RUN_LIMIT = 16_384;

/**
 * Reads and parses the footer.
 *
 * @throws {Problem} `invalid-checkpoint` with `byte` if it is damaged, `too-large` if it is very long;
 * whatever the source throws.
 */
export async function readFooter(file: ShardFile, signal?: AbortSignal): Promise<FileMetaData> {
  const { name, source: { byteLength } } = file;
  const most = byteLength - TAIL_BYTES - 4;
  const tail = most < 0
    ? new Uint8Array(TAIL_BYTES)
    : await file.source.slice(byteLength - TAIL_BYTES, byteLength, signal);
  const view = new DataView(tail.buffer);
  if (view.getUint32(4, LITTLE) !== MARK) {
    throw footerFault(file, "it must end with PAR1: current value is another end");
  }
  const length = view.getUint32(0, LITTLE);
  if (length > most) {
    throw footerFault(
      file,
      `its footer must have at most ${most} bytes: current value is ${length}`,
    );
  }
  if (length > FOOTER_LIMIT) {
    throw shardProblem(
      "too-large",
      name,
      `Cannot read the Parquet file ${JSON.stringify(name)} as its footer must have at most ` +
        `${FOOTER_LIMIT} bytes: current value is ${length}`,
      { limit: FOOTER_LIMIT, value: length },
    );
  }
  const footer = await file.source.slice(byteLength - TAIL_BYTES - length, byteLength, signal);
  try {
    checkRuns(footer);
    return parquetMetadata(footer, { geoparquet: false });
  } catch (error) {
    throw footerFault(file, `its footer must be sound: ${reasonOf(error)}`, error);
  }
}

function footerFault(file: ShardFile, what: string, cause?: unknown): Problem {
  return new Problem(
    "invalid-checkpoint",
    `Cannot read the Parquet file ${JSON.stringify(file.name)} as ${what}`,
    { source: file.name, byte: Math.max(0, file.source.byteLength - TAIL_BYTES) },
    cause,
  );
}

/**
 * Refuses bytes in which the parser would find a number without end.
 *
 * @throws {RangeError} If so many bytes in a row say that the number goes on.
 */
export function checkRuns(bytes: Uint8Array): void {
  let run = 0;
  for (let i = 0; i < bytes.length; i++) {
    run = bytes[i]! < 0x80 ? 0 : run + 1;
    if (run > RUN_LIMIT) {
      throw new RangeError(
        `A number must have at most 10 bytes: current value is over ${RUN_LIMIT}`,
      );
    }
  }
}

/** What a library's error says, in one line. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
