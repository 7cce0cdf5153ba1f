/**
 * `deno task fsck [--repair]`: checks the store of `AMALGAM_DATA` while no service runs on it. Prints a line per fault;
 * the exit code is 1 if one is left.
 *
 * @module
 */
import { checkStore } from "../store/check_store.ts";
import { tableStore } from "../store/table_store.ts";
import { fileBlobs } from "./file_blobs.ts";
import { hostHasher } from "./hasher.ts";
import { sqliteTable } from "./sqlite_table.ts";

if (import.meta.main) {
  const folder = Deno.env.get("AMALGAM_DATA") ?? ".amalgam";
  const blobs = await fileBlobs({ folder, makeHasher: hostHasher });
  const table = sqliteTable(`${folder}/records.sqlite`);
  const faults = await checkStore({
    blobs,
    records: tableStore(table),
    makeHasher: hostHasher,
    repair: Deno.args.includes("--repair"),
  });
  table.close();
  for (const fault of faults) console.log(JSON.stringify(fault));
  Deno.exit(faults.every(({ repaired }) => repaired) ? 0 : 1);
}
