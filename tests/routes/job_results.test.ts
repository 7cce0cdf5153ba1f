import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mergedBytes, postRecipe, shardedFixture, unzipped } from "../support/merge_requests.ts";
import { checkpointBytes } from "../support/merging.ts";
import { smallRequest, smallUploads } from "../support/small_model.ts";
import { beginJob, endOf, formOf, type Life, restartable } from "../support/restarts.ts";

const MODEL = checkpointBytes({ a: [1, 2], b: [3, 4, 5, 6], c: [7] }, { format: "pt" });
const CUT = {
  merge_method: "linear",
  models: [{ model: "m" }],
  output: { shard_size: 16 },
  name: "cut in two",
};
const MEAN = {
  merge_method: "linear",
  models: [{ model: "base" }, { model: "tuned" }],
  output: { format: "onnx" },
};

async function withLife(run: (life: Life) => Promise<void>) {
  const life = await restartable().open();
  try {
    await run(life);
  } finally {
    await life.stop();
  }
}

Deno.test("a job whose result is an archive keeps it, to be read by ranges after a download that broke", async () => {
  await withLife(async (life) => {
    const whole = await mergedBytes(await postRecipe(life.app, "/merge", CUT, { m: MODEL }));
    const path = await beginJob(life.app, "/merge", formOf("recipe", CUT, [["m", MODEL]]));
    const job = await endOf(life, path);
    assertEquals(job.state, "done", JSON.stringify(job.problem));
    const { checkpoint, report } = job.result as Record<string, Record<string, string>>;
    assertEquals([checkpoint!.kind, checkpoint!.media_type], ["file", "application/zip"]);
    for (const address of [`${path}/result`, `/checkpoints/${checkpoint!.id}`]) {
      const first = await life.app.request(address, { headers: { range: "bytes=0-99" } });
      assertEquals([first.status, first.headers.get("content-type")], [206, "application/zip"]);
      assertStringIncludes(first.headers.get("content-disposition")!, "cut%20in%20two.zip");
      const etag = first.headers.get("etag")!;
      const rest = await life.app.request(address, {
        headers: { range: "bytes=100-", "if-range": etag },
      });
      const bytes = new Uint8Array([...await first.bytes(), ...await rest.bytes()]);
      assertEquals(bytes, whole);
      // Another archive than the one that the first half is of would be sent whole.
      const other = await life.app.request(address, {
        headers: { range: "bytes=100-", "if-range": '"other"' },
      });
      assertEquals([other.status, (await other.bytes()).length], [200, whole.length]);
      const head = await life.app.request(address, { method: "HEAD" });
      assertEquals(head.headers.get("content-length"), String(whole.length));
      assertEquals(Object.keys(await unzipped(bytes)).length, 4);
    }
    assertEquals((await (await life.app.request(String(report))).json()).state, "done");
  });
});

Deno.test("a job whose result is an ONNX model keeps it", async () => {
  await withLife(async (life) => {
    const files = {
      base: shardedFixture("classifier_base.onnx"),
      tuned: shardedFixture("classifier_tuned.onnx"),
    };
    const whole = await mergedBytes(await postRecipe(life.app, "/merge", MEAN, files));
    const path = await beginJob(life.app, "/merge", formOf("recipe", MEAN, Object.entries(files)));
    const job = await endOf(life, path);
    assertEquals(job.state, "done", JSON.stringify(job.problem));
    const answer = await life.app.request(`${path}/result`);
    assertStringIncludes(answer.headers.get("content-disposition")!, ".onnx");
    assertEquals(await answer.bytes(), whole);
  });
});

Deno.test("a picture that a job was asked for is kept as one; a job without bytes answers its JSON", async () => {
  await withLife(async (life) => {
    const document = { base_model: "b", models: [{ model: "m" }] };
    const uploads = [["b", MODEL], [
      "m",
      checkpointBytes({ a: [1, 3], b: [1, 1, 1, 1], c: [2] }),
    ]] as const;
    const answers: Record<string, Response> = {};
    for (const accept of ["image/svg+xml", "application/json"]) {
      const body = formOf("recipe", document, uploads);
      const path = await beginJob(life.app, "/analyze", body, { accept });
      const job = await endOf(life, path);
      assertEquals(job.state, "done", JSON.stringify(job.problem));
      answers[accept] = await life.app.request(`${path}/result`);
    }
    const svg = answers["image/svg+xml"]!;
    assertStringIncludes(svg.headers.get("content-type")!, "image/svg+xml");
    assertStringIncludes(await svg.text(), "<svg");
    assert((await answers["application/json"]!.json()).tensors);
  });
});

Deno.test("a job that is not done has no result yet", async () => {
  await withLife(async (life) => {
    const wrong = { ...CUT, merge_method: "nothing" };
    const path = await beginJob(life.app, "/merge", formOf("recipe", wrong, [["m", MODEL]]));
    await endOf(life, path);
    const answer = await life.app.request(`${path}/result`);
    const { type, state } = await answer.json();
    assertEquals([answer.status, type, state], [409, "/problems/conflict", "failed"]);
  });
});

Deno.test("a training graph with a key is answered again, to the byte, whatever is accepted", async () => {
  await withLife(async (life) => {
    const document = smallRequest({ local: { epochs: undefined, steps: 1, batch_size: 5 } });
    const uploads = smallUploads().filter(([name]) => name !== "rows");
    const call = (headers: Record<string, string>) =>
      life.app.request("/training-graph", {
        method: "POST",
        body: formOf("request", document, uploads),
        headers,
      });
    const first = await call({});
    const [bytes, disposition] = [await first.bytes(), first.headers.get("content-disposition")];
    assertEquals([first.status, disposition], [200, 'attachment; filename="training.onnx"']);
    for (const accept of ["*/*", "application/json", "text/event-stream"]) {
      const again = await call({ "idempotency-key": "graph", accept });
      assertEquals([again.status, again.headers.get("content-disposition")], [200, disposition]);
      assertEquals(again.headers.get("content-type"), "application/octet-stream");
      assertEquals(await again.bytes(), bytes);
    }
    const { items } = await (await life.app.request("/jobs")).json();
    assertEquals(items.length, 1);
    const { kind, media_type } = items[0].result.checkpoint;
    assertEquals([kind, media_type], ["file", "application/octet-stream"]);
    const path = `/jobs/${items[0].id}`;
    assertEquals(await (await life.app.request(`${path}/result`)).bytes(), bytes);
    assertEquals((await life.app.request(path, { method: "DELETE" })).status, 204);
    assertEquals(await life.ports.blobs.list(), []);
  });
});
