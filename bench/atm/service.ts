/**
 * The service under test, through its own HTTP interface; answers are kept in a folder, so that an interrupted
 * experiment goes on where it was.
 *
 * @module
 */
import { startServer } from "../server.ts";

/** A running service with a memory of its answers. */
export interface Service {
  /** Stores a file; answers its id, the digest of its bytes. */
  upload(bytes: Uint8Array<ArrayBuffer>): Promise<string>;
  download(id: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Posts a document and answers what came back, from memory if the same document was answered before. */
  ask<Answer>(path: string, document: object): Promise<Answer>;
  /** As `ask`, for a resource that answers events; the result is the last of them. */
  follow<Answer>(path: string, document: object): Promise<Answer>;
  /** Merges a recipe and stores the result; answers its id. */
  merge(recipe: object): Promise<string>;
  /** Names of the merge methods. */
  methods(): Promise<readonly string[]>;
  /** Seconds that the answers took when they were made, in sum. */
  seconds(): number;
  stop(): Promise<void>;
}

/** An event of a long call. */
interface LongEvent {
  readonly event: string;
  readonly [key: string]: unknown;
}

/** Starts the service on a store below a folder. */
export async function startService(folder: string): Promise<Service> {
  await Deno.mkdir(`${folder}/answers`, { recursive: true });
  const root = await Deno.realPath(folder);
  const server = await startServer({ AMALGAM_DATA: `${root}/store` });
  let seconds = 0;

  async function post(path: string, document: object): Promise<Response> {
    const answer = await fetch(`${server.origin}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(document),
    });
    if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  /** Checkpoints stand in documents by their digests, so equal documents have equal answers. */
  async function remembered<Answer>(
    path: string,
    document: object,
    read: (answer: Response) => Promise<Answer>,
  ): Promise<Answer> {
    const file = `${root}/answers/${await digest(JSON.stringify([path, document]))}.json`;
    const known = await Deno.readTextFile(file).catch(() => undefined);
    if (known !== undefined) {
      const held: { seconds: number; answer: Answer } = JSON.parse(known);
      seconds += held.seconds;
      return held.answer;
    }
    const started = performance.now();
    const answer = await read(await post(path, document));
    const took = (performance.now() - started) / 1000;
    seconds += took;
    await Deno.writeTextFile(`${file}.tmp`, JSON.stringify({ seconds: took, answer }));
    await Deno.rename(`${file}.tmp`, file);
    return answer;
  }

  const service: Service = {
    async upload(bytes) {
      const answer = await fetch(`${server.origin}/checkpoints`, { method: "POST", body: bytes });
      if (!answer.ok) throw new Error(`POST /checkpoints: ${await answer.text()}`);
      return (await answer.json()).id;
    },
    async download(id) {
      const answer = await fetch(`${server.origin}/checkpoints/${id}`);
      if (!answer.ok) throw new Error(`GET /checkpoints/${id}: ${await answer.text()}`);
      return new Uint8Array(await answer.arrayBuffer());
    },
    ask: (path, document) => remembered(path, document, (answer) => answer.json()),
    follow: (path, document) =>
      remembered(path, document, async (answer) => {
        const lines = (await answer.text()).trim().split("\n");
        const last: LongEvent = JSON.parse(lines.at(-1)!);
        if (last.event !== "result") throw new Error(`POST ${path}: ${lines.at(-1)}`);
        return last as never;
      }),
    merge: (recipe) =>
      remembered("/merge", recipe, async (answer) => {
        return await service.upload(new Uint8Array(await answer.arrayBuffer()));
      }),
    async methods() {
      const answer = await (await fetch(`${server.origin}/methods`)).json();
      const list: readonly { name: string }[] = Array.isArray(answer) ? answer : answer.methods;
      return list.map(({ name }) => name);
    },
    seconds: () => seconds,
    stop: () => server.stop(),
  };
  return service;
}

async function digest(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(hash).toHex();
}
