import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createApp } from "../../routes/app.ts";
import { METHODS } from "../../core/methods/mod.ts";
import { checkpointBytes, checkpointValues } from "../support/merging.ts";
import { testApp } from "../support/service.ts";

const base = checkpointBytes({ w: [0, 0, 0, 0], "layers.0.mlp.weight": [1, 1] });
const a = checkpointBytes({ w: [1, 2, 3, 4], "layers.0.mlp.weight": [2, 2] });
const b = checkpointBytes({ w: [3, 2, 1, 0], "layers.0.mlp.weight": [4, 4] });

const average = { merge_method: "linear", models: [{ model: "a" }, { model: "b" }] };

/** A multipart request: the recipe first, then the files. */
function form(recipe: unknown, files: Record<string, Uint8Array<ArrayBuffer>>): FormData {
  const data = new FormData();
  data.append("recipe", new Blob([JSON.stringify(recipe)], { type: "application/json" }), "r.json");
  for (const [name, bytes] of Object.entries(files)) data.append(name, new Blob([bytes]), name);
  return data;
}

type App = ReturnType<typeof testApp>["app"];

async function post(
  app: App,
  path: string,
  recipe: unknown,
  files = { a, b } as Record<string, Uint8Array<ArrayBuffer>>,
) {
  return await app.request(path, { method: "POST", body: form(recipe, files) });
}

async function problem(response: Response) {
  assertEquals(response.headers.get("content-type"), "application/problem+json");
  const document = await response.json();
  assertEquals(document.status, response.status);
  return document as {
    type: string;
    detail: string;
    errors?: { path: string }[];
    [key: string]: unknown;
  };
}

Deno.test("POST /merge answers the merged file, its name and its report", async () => {
  const { app, close } = testApp();
  const response = await post(app, "/merge", { ...average, name: "mean of two" });
  assertEquals(response.status, 200);
  assertStringIncludes(
    response.headers.get("content-disposition")!,
    'filename="mean_of_two.safetensors"',
  );
  const bytes = new Uint8Array(await response.arrayBuffer());
  assertEquals(bytes.length, Number(response.headers.get("content-length")));
  assertEquals([...(await checkpointValues(bytes)).w!], [2, 2, 2, 2]);
  const link = response.headers.get("link")!;
  const path = /^<(\/merges\/[\w-]+\/report)>; rel="describedby"$/.exec(link)?.[1];
  assert(path, link);
  const report = await (await app.request(path)).json();
  assertEquals(report.state, "done");
  assertEquals(report.engine, { name: "fused" });
  assertEquals(report.tensors.map((tensor: { name: string }) => tensor.name).sort(), [
    "layers.0.mlp.weight",
    "w",
  ]);
  assertMatch(report.metadata["amalgam.inputs"], /"sha256":"[0-9a-f]{64}"/);
  await close();
});

Deno.test("a report that cannot be kept is logged, and the merged file is whole", async () => {
  const { ports, faults, close } = testApp();
  const records: typeof ports.records = (mode, use) =>
    mode === "readwrite" ? Promise.reject(new Error("disk I/O error")) : ports.records(mode, use);
  const response = await post(createApp({ ...ports, records }), "/merge", average);
  const bytes = new Uint8Array(await response.arrayBuffer());
  assertEquals(bytes.length, Number(response.headers.get("content-length")));
  assertEquals([...(await checkpointValues(bytes)).w!], [2, 2, 2, 2]);
  assertEquals(faults.map(String), ["Error: disk I/O error"]);
  await close();
});

Deno.test("YAML, a mergekit recipe as it is, and stored sources", async () => {
  const { app, close } = testApp();
  const ids: string[] = [];
  for (const bytes of [base, a, b]) {
    const answer = await app.request("/checkpoints", {
      method: "POST",
      body: bytes,
      headers: { "content-type": "application/octet-stream" },
    });
    ids.push((await answer.json()).id);
  }
  const recipe = `
merge_method: task_arithmetic
base_model: ${ids[0]}
models:
  - model: ${ids[1]}
    parameters: { weight: 0.5 }
  - model: ${ids[2]}
    parameters: { weight: [{ filter: mlp, value: 1 }, { value: 0.25 }] }
dtype: float32
`;
  const response = await app.request("/merge", {
    method: "POST",
    body: recipe,
    headers: { "content-type": "application/yaml" },
  });
  assertEquals(response.status, 200, response.ok ? "" : await response.text());
  const values = await checkpointValues(new Uint8Array(await response.arrayBuffer()));
  assertEquals([...values.w!], [1.25, 1.5, 1.75, 2]);
  assertEquals([...values["layers.0.mlp.weight"]!], [1 + 0.5 + 3, 1 + 0.5 + 3]);
  await close();
});

Deno.test("POST /task-vectors stores model minus base, which gives the model again", async () => {
  const { app, close } = testApp();
  const data = new FormData();
  data.append("request", JSON.stringify({ base: "base", model: "a" }));
  data.append("base", new Blob([base]), "base");
  data.append("a", new Blob([a]), "a");
  const made = await app.request("/task-vectors", { method: "POST", body: data });
  assertEquals(made.status, 201, made.ok ? "" : await made.text());
  const manifest = await made.json();
  assertEquals(manifest.kind, "task_vector");
  const recipe = {
    merge_method: "task_arithmetic",
    base_model: "base",
    models: [{ model: "tv" }],
    sources: { base: { upload: true }, tv: { checkpoint: manifest.id } },
  };
  const response = await post(app, "/merge", recipe, { base });
  const values = await checkpointValues(new Uint8Array(await response.arrayBuffer()));
  assertEquals([...values.w!], [1, 2, 3, 4]);
  // A task vector is never averaged with weights.
  const mixed = {
    ...recipe,
    merge_method: "linear",
    base_model: undefined,
    models: [{ model: "tv" }, { model: "a" }],
  };
  const { base: _, ...sources } = { ...recipe.sources, a: { upload: true } };
  const refused = await post(app, "/merge", { ...mixed, sources }, { a });
  assertEquals((await problem(refused)).type, "/problems/invalid-recipe");
  await close();
});

Deno.test("POST /plan says what each tensor gets, and reads no tensor", async () => {
  const { app, close } = testApp();
  const response = await post(app, "/plan", {
    merge_method: "ties",
    base_model: "base",
    models: [{ model: "a", parameters: { density: 0.5 } }, { model: "b" }],
    tensors: { include: ["w"] },
  }, { base, a, b });
  const plan = await response.json();
  assertEquals(plan.method, "ties");
  assertEquals(
    plan.tensors.map((tensor: { name: string; action: string }) => [tensor.name, tensor.action])
      .sort(),
    [
      ["layers.0.mlp.weight", "copy"],
      ["w", "merge"],
    ],
  );
  await close();
});

Deno.test("every fault of a recipe is named before an upload is read", async () => {
  const { app, close } = testApp();
  const recipe = {
    merge_method: "ties",
    base_model: "base",
    models: [{ model: "a", parameters: { densty: 0.5 } }, {
      model: "b",
      parameters: { density: 2 },
    }],
    seeds: 1,
  };
  const document = await problem(await post(app, "/merge", recipe, { base, a, b }));
  assertEquals(document.type, "/problems/invalid-recipe");
  assertEquals(document.errors!.map(({ path }) => path).sort(), [
    "models[0].parameters.densty",
    "models[1].parameters.density",
    "seeds",
  ]);
  await close();
});

Deno.test("wrong names are answered with the right ones", async () => {
  const { app, close } = testApp();
  const method = await problem(await post(app, "/merge", { ...average, merge_method: "lineer" }));
  assertEquals(method.type, "/problems/unknown-method");
  assertEquals((method.nearest as string[])[0], "linear");
  const models = [{ model: "a" }, { model: "bb" }];
  const source = await problem(await post(app, "/merge", { ...average, models }));
  assertEquals(source.type, "/problems/unknown-source");
  assertEquals(source.nearest, { bb: "b" });
  const renamed = checkpointBytes({ w: [1, 2, 3, 4], "layers.0.mpl.weight": [2, 2] });
  const tensor = await problem(await post(app, "/merge", average, { a, b: renamed }));
  assertEquals(tensor.type, "/problems/mismatch");
  assertStringIncludes(JSON.stringify(tensor), "layers.0.mpl.weight");
  await close();
});

Deno.test("NaN is refused with source, tensor and index, copied from the base, or let through", async () => {
  const { app, close } = testApp();
  const bad = checkpointBytes({ w: [1, 2, NaN, 4], "layers.0.mlp.weight": [2, 2] });
  const recipe = {
    merge_method: "task_arithmetic",
    base_model: "base",
    models: [{ model: "a", parameters: { weight: 0.5 } }],
  };
  const files = { base, a: bad };
  const document = await problem(await post(app, "/merge", recipe, files));
  assertEquals(document.type, "/problems/non-finite");
  assertEquals([document.source, document.tensor, document.index], ["a", "w", 2]);
  const copied = await post(app, "/merge", { ...recipe, non_finite: "base" }, files);
  const values = await checkpointValues(new Uint8Array(await copied.arrayBuffer()));
  assertEquals([...values.w!], [0, 0, 0, 0]);
  assertEquals([...values["layers.0.mlp.weight"]!], [1.5, 1.5]);
  const through = await post(app, "/merge", { ...recipe, non_finite: "propagate" }, files);
  const kept = await checkpointValues(new Uint8Array(await through.arrayBuffer()));
  assertEquals([...kept.w!], [0.5, 1, NaN, 2]);
  await close();
});

Deno.test("overflow of the output type is refused, or saturates", async () => {
  const { app, close } = testApp();
  const large = checkpointBytes({ w: [60000, 1] });
  const recipe = {
    merge_method: "linear",
    models: [{ model: "a", parameters: { weight: 2 } }],
    parameters: { normalize: false },
    out_dtype: "float16",
  };
  const document = await problem(await post(app, "/merge", recipe, { a: large }));
  assertEquals([document.type, document.index], ["/problems/non-finite", 0]);
  const saturated = await post(app, "/merge", { ...recipe, saturate: true }, { a: large });
  const values = await checkpointValues(new Uint8Array(await saturated.arrayBuffer()));
  assertEquals([...values.w!], [65504, 2]);
  await close();
});

Deno.test("nothing of a refused request stays in the store", async () => {
  const { app, ports, close } = testApp();
  const damaged = a.slice(0, a.length - 3);
  for (const files of [{ a, b: damaged }, { a, b: new Uint8Array(20) }, { a, c: b }]) {
    const response = await post(app, "/merge", average, files);
    assert(response.status >= 400 && response.status < 500, String(response.status));
    await response.body?.cancel();
  }
  assertEquals(await ports.blobs.list(), []);
  await close();
});

Deno.test("the report of a merge that a server has sent whole says so, short or long", async () => {
  const { app, close } = testApp();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    (request) => app.fetch(request),
  );
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const recipe = { merge_method: "linear", models: [{ model: "a", parameters: { weight: 1 } }] };
  for (const elements of [1, 4096 * 600]) {
    const bytes = checkpointBytes({ w: Array.from({ length: elements }, (_, i) => i) });
    const body = form(recipe, { a: bytes });
    const response = await fetch(`${origin}/merge`, { method: "POST", body });
    const length = Number(response.headers.get("content-length"));
    // The last byte is enough: the report is there with it.
    let received = 0;
    for await (const piece of response.body!) received += piece.length;
    assertEquals(received, length);
    const path = /<([^>]+)>/.exec(response.headers.get("link")!)![1]!;
    const answer = await fetch(origin + path);
    assertEquals(answer.status, 200);
    const report = await answer.json();
    assertEquals([report.state, report.problem], ["done", undefined]);
    assertEquals(report.tensors.length, 1);
  }
  await server.shutdown();
  await close();
});

Deno.test("a failure after the first byte ends the connection, and the report says why", async () => {
  // 4 MiB are made before the answer begins; the fault lies behind them.
  const values = Array.from({ length: 4096 * 400 }, (_, i) => i === 4096 * 399 ? Infinity : 1);
  const bad = checkpointBytes({ w: values });
  const { app, close } = testApp();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    (request) => app.fetch(request),
  );
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const recipe = {
    merge_method: "passthrough",
    models: [{ model: "a", parameters: { scale: 0.5 } }],
  };
  const response = await fetch(`${origin}/merge`, {
    method: "POST",
    body: form(recipe, { a: bad }),
  });
  assertEquals(response.status, 200);
  let failed = false;
  let received = 0;
  try {
    for await (const chunk of response.body!) received += chunk.length;
  } catch {
    failed = true;
  }
  assert(failed, `${received} bytes looked like a whole answer`);
  const path = /<([^>]+)>/.exec(response.headers.get("link")!)![1]!;
  const report = await (await fetch(origin + path)).json();
  assertEquals(report.state, "failed");
  assertEquals(report.problem.kind, "non-finite");
  await server.shutdown();
  await close();
});

Deno.test("a client that goes away frees everything", async () => {
  const large = checkpointBytes({ w: Array.from({ length: 4096 * 400 }, (_, i) => i % 7) });
  const { app, ports, close } = testApp();
  const stored = await app.request("/checkpoints", { method: "POST", body: large });
  const { id } = await stored.json();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    (request) => app.fetch(request),
  );
  const controller = new AbortController();
  const response = await fetch(`http://127.0.0.1:${server.addr.port}/merge`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      merge_method: "passthrough",
      models: [{ model: id, parameters: { scale: 2 } }],
    }),
    signal: controller.signal,
  });
  const reader = response.body!.getReader();
  await reader.read();
  assert(ports.leases.inUse(id));
  controller.abort();
  await reader.cancel().catch(() => {});
  const until = Date.now() + 1000;
  while (ports.leases.inUse(id) && Date.now() < until) {
    await new Promise((next) => setTimeout(next, 10));
  }
  assertEquals(ports.leases.inUse(id), false);
  assertEquals((await app.request(`/checkpoints/${id}`, { method: "DELETE" })).status, 204);
  await server.shutdown();
  await close();
});

Deno.test("addresses, methods and keys", async () => {
  const { app, close } = testApp();
  assertEquals((await problem(await app.request("/nothing"))).type, "/problems/not-found");
  const wrong = await app.request("/merge", { method: "PUT" });
  assertEquals([wrong.status, wrong.headers.get("allow")], [405, "POST"]);
  const type = await app.request("/merge", {
    method: "POST",
    body: "x",
    headers: { "content-type": "text/html" },
  });
  assertEquals((await problem(type)).type, "/problems/unsupported-media-type");
  const { methods } = await (await app.request("/methods")).json();
  assertEquals(methods.length, METHODS.size);
  await close();
  const key = "a key";
  const digest = new Uint8Array(
    await crypto.subtle.digest("SHA-256", new TextEncoder().encode("akey")),
  ).toHex();
  const guarded = testApp({ keys: [digest] });
  assertEquals((await guarded.app.request("/methods")).status, 401);
  const ask = (value: string) =>
    guarded.app.request("/methods", { headers: { authorization: `Bearer ${value}` } });
  assertEquals((await ask(key)).status, 401);
  assertEquals((await ask("akey")).status, 200);
  assertEquals((await guarded.app.request("/healthz")).status, 200);
  await guarded.close();
});
