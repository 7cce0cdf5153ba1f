import { assert, assertEquals } from "@std/assert";
import type { Bytes } from "../../core/checkpoint/byte_source.ts";
import { atmDocument, farthest, runTasks, taskShards } from "../support/atm.ts";
import { checkpointValues } from "../support/merging.ts";
import { safetensorsOf, smallModel, weights } from "../support/small_model.ts";
import { inFolder } from "../support/temporary_folder.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** The service as a process of its own. */
interface Site {
  readonly host: string;
  store(bytes: Bytes): Promise<string>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

async function startSite(
  folder: string,
  port = freePort(),
  environment: Record<string, string> = {},
): Promise<Site> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", "serve.ts"],
    cwd: ROOT,
    env: {
      HOST: "127.0.0.1",
      PORT: String(port),
      AMALGAM_DATA: folder,
      AMALGAM_WORKERS: "1",
      ...environment,
    },
    stdout: "null",
    stderr: "null",
  }).spawn();
  const host = `127.0.0.1:${port}`;
  for (let tries = 0; tries < 400; tries++) {
    const alive = await fetch(`http://${host}/healthz`).then(
      async (answer) => (await answer.body?.cancel(), answer.ok),
      () => false,
    );
    if (alive) break;
    await new Promise((next) => setTimeout(next, 25));
  }
  return {
    host,
    async store(bytes) {
      const answer = await fetch(`http://${host}/checkpoints`, { method: "POST", body: bytes });
      return (await answer.json()).id;
    },
    async kill() {
      try {
        process.kill("SIGKILL");
      } catch {
        // It is gone already.
      }
      await process.status;
    },
  };
}

/** Posts a run and follows its events until `stop` says so or the stream ends. */
async function follow(
  coordinator: Site,
  document: Record<string, unknown>,
  uploads: readonly (readonly [string, Bytes])[],
  onEvent: (event: Record<string, unknown>) => Promise<void> | void = () => {},
): Promise<Record<string, unknown>[]> {
  const form = new FormData();
  form.append("request", JSON.stringify(document));
  for (const [name, bytes] of uploads) form.append(name, new Blob([bytes]), name);
  const answer = await fetch(`http://${coordinator.host}/atm`, { method: "POST", body: form });
  const events: Record<string, unknown>[] = [];
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of answer.body!) {
    text += decoder.decode(piece, { stream: true });
    const lines = text.split("\n");
    text = lines.pop()!;
    for (const line of lines) {
      events.push(JSON.parse(line));
      await onEvent(events.at(-1)!);
    }
  }
  return events;
}

Deno.test("two processes hold a shard each, a third coordinates; one that is killed fails its round, and the run resumes", async () => {
  await inFolder(async (folder) => {
    const ports = [freePort(), freePort()];
    const sites = await Promise.all(ports.map((port, i) => startSite(`${folder}/site${i}`, port)));
    const coordinator = await startSite(`${folder}/coordinator`, freePort(), {
      AMALGAM_SOURCE_HOSTS: sites.map(({ host }) => host).join(","),
    });
    const started = [...sites, coordinator];
    try {
      const shards = taskShards();
      const tasks = await Promise.all(["one", "two"].map(async (name, i) => {
        await sites[i]!.store(smallModel());
        return {
          name,
          participant: {
            url: `http://${sites[i]!.host}`,
            shard: await sites[i]!.store(shards[`${name}-tune`]!),
            timeout: 5,
          },
          select: `${name}-select`,
          target: "y",
          loss: "cross_entropy",
        };
      }));
      const document = {
        ...atmDocument({ tasks, mode: "published", references: [], rounds: 2 }),
        model: await coordinator.store(smallModel()),
      };
      const uploads = [
        ["start", safetensorsOf(weights(1))],
        ["one-select", shards["one-select"]!],
        ["two-select", shards["two-select"]!],
      ] as const;
      const events = await follow(coordinator, document, uploads, async ({ event }) => {
        if (event === "round") await sites[1]!.kill();
      });
      const last = events.at(-1)!;
      assertEquals(
        [last["event"], last["type"]],
        ["error", "/problems/upstream"],
        JSON.stringify(last),
      );
      assert(String(last["detail"]).includes('"two"'));
      assertEquals(events.filter(({ event }) => event === "round").length, 1);

      started.push(await startSite(`${folder}/site1`, ports[1]));
      const run = events.find(({ event }) => event === "start")!["run"];
      const again = (await follow(coordinator, { ...document, resume: run }, uploads)).at(-1)!;
      assertEquals(again["event"], "result", JSON.stringify(again));
      const { id } = again["checkpoint"] as { id: string };
      const file = await fetch(`http://${coordinator.host}/checkpoints/${id}`);
      const values = await checkpointValues(new Uint8Array(await file.arrayBuffer()));
      const local = await runTasks({ mode: "published", rounds: 2 });
      const held = Object.fromEntries(
        Object.entries(values).map(([name, list]) => [name, [...list]]),
      );
      assert(farthest(held, local.values) < 1e-6);
    } finally {
      await Promise.all(started.map((site) => site.kill()));
    }
  });
});
