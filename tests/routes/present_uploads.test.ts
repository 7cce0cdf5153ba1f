import { assertEquals } from "@std/assert";
import { blobSource } from "../../core/checkpoint/blob_source.ts";
import { memoryBlobs } from "../../core/store/memory_blobs.ts";
import { hostHasher } from "../../core/host/hasher.ts";
import type { UploadedSource } from "../../core/sources/open_sources.ts";
import { createApp } from "../../routes/app.ts";
import { testApp } from "../support/service.ts";
import { digestId } from "../support/stored_checkpoint.ts";

function checkpoint(seed: number): Blob {
  const values = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i + seed));
  const header = JSON.stringify({
    w: { dtype: "F32", shape: [8, 8], data_offsets: [0, values.byteLength] },
  });
  const length = new BigUint64Array([BigInt(header.length)]);
  return new Blob([length, header, values]);
}

const RECIPE = {
  merge_method: "linear",
  models: [{ model: "a", parameters: { weight: 0.25 } }, {
    model: "b",
    parameters: { weight: 0.75 },
  }],
};

/** An application whose requests bring files that are here already. */
function presentApp(files: ReadonlyMap<string, Blob>) {
  const made = testApp({
    blobs: {
      ...memoryBlobs({ makeHasher: hostHasher }),
      create: () => Promise.reject(new Error("A file was copied into the store")),
    },
  });
  const present = (request: Request) => uploads.get(request) ?? new Map<string, UploadedSource>();
  const uploads = new WeakMap<Request, ReadonlyMap<string, UploadedSource>>();
  const app = createApp({ ...made.ports, present });
  return {
    close: made.close,
    faults: made.faults,
    async ask(path: string, document: unknown) {
      const request = new Request(`http://localhost${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(document),
      });
      const named = [...files].map(async ([name, file]) =>
        [name, {
          source: blobSource(file),
          id: await digestId(new Uint8Array(await file.arrayBuffer())),
        }] as const
      );
      uploads.set(request, new Map(await Promise.all(named)));
      return await app.fetch(request);
    },
  };
}

Deno.test("uploads that are here already give the bytes that sent ones do, and are not copied", async () => {
  const files = new Map([["a", checkpoint(1)], ["b", checkpoint(2)]]);
  const here = presentApp(files);
  const there = testApp();
  const form = new FormData();
  form.append("recipe", new Blob([JSON.stringify(RECIPE)], { type: "application/json" }));
  for (const [name, file] of files) form.append(name, file, name);
  const sent = await there.app.request("/merge", { method: "POST", body: form });
  const merged = await here.ask("/merge", RECIPE);
  assertEquals([merged.status, sent.status], [200, 200]);
  assertEquals(await merged.bytes(), await sent.bytes());
  assertEquals(here.faults, []);
  await Promise.all([here.close(), there.close()]);
});

Deno.test("an upload that is here already and that the recipe does not name is refused with the nearest name", async () => {
  const { ask, close } = presentApp(new Map([["alpha", checkpoint(1)], ["b", checkpoint(2)]]));
  const recipe = { ...RECIPE, models: [{ model: "alpka" }, { model: "b" }] };
  const answer = await ask("/plan", recipe);
  const { type, nearest } = await answer.json();
  assertEquals([type, nearest], ["/problems/unknown-source", { alpka: "alpha" }]);
  await close();
});
