/**
 * What the work around a merge takes without it: copying, saving an upload, asking for the bytes of URLs.
 *
 * @module
 */
import { connect } from "../core/host/http/connect.ts";
import { createRangeClient } from "../core/host/http/range_client.ts";
import { createRangeRequests } from "../core/host/http/range_requests.ts";
import { isDirect } from "../core/checkpoint/direct_response.ts";
import { curl, uploadArguments } from "./clients.ts";
import { freePort } from "./server.ts";

/** Bytes of one request, as sources by URL are read, and requests that are under way for each file. */
const SEGMENT = 2 << 20;
const REQUESTS = 6;

/** Seconds that something takes. */
export async function seconds(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await run();
  return (performance.now() - started) / 1000;
}

/** Reads a file to its end. */
export async function readAll(path: string): Promise<void> {
  const file = await Deno.open(path);
  const buffer = new Uint8Array(1 << 20);
  while (await file.read(buffer) !== null);
  file.close();
}

/** Reading the inputs and writing one output with plain copies. */
export function copySeconds(inputs: readonly string[], output: string): Promise<number> {
  return seconds(async () => {
    for (const input of inputs) await readAll(input);
    await Deno.copyFile(inputs[0]!, output);
  });
}

/** Sending the files as one upload to a server that does nothing but save the body. */
export async function saveSeconds(
  files: Readonly<Record<string, string>>,
  folder: string,
): Promise<number> {
  const port = freePort();
  const saved = `${folder}/saved-upload`;
  const server = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("save_server.ts", import.meta.url).pathname, saved, String(port)],
    stdout: "null",
  }).spawn();
  try {
    for (let waited = 0; waited < 10_000; waited += 20) {
      if (await fetch(`http://127.0.0.1:${port}/`).then((answer) => answer.text(), () => "")) break;
      await new Promise((next) => setTimeout(next, 20));
    }
    const form = uploadArguments("{}", files, folder);
    return await seconds(() => curl([...form, `http://127.0.0.1:${port}/`], "/dev/null"));
  } finally {
    server.kill();
    await server.status;
    await Deno.remove(saved).catch(() => {});
  }
}

/** Asking for every byte of the files by ranges, and throwing the bytes away. */
export function requestSeconds(urls: readonly string[], size: number): Promise<number> {
  const client = createRangeClient({
    requests: createRangeRequests({ connect }),
    fetch: (url, init) => fetch(url, init),
  });
  return seconds(async () => {
    await Promise.all(urls.map(async (url) => {
      let next = 0;
      const work = async () => {
        const target = new Uint8Array(SEGMENT);
        while (next < size) {
          const start = next;
          next += SEGMENT;
          const range = `bytes=${start}-${Math.min(start + SEGMENT, size) - 1}`;
          const answer = await client.fetch(url, { headers: { range } });
          if (!isDirect(answer)) throw new Error(`${answer.status}`);
          while (await answer.readInto(target) !== null);
        }
      };
      await Promise.all(Array.from({ length: REQUESTS }, work));
    }));
    client.close();
  });
}
