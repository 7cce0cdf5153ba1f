import { assert, assertEquals } from "@std/assert";
import { openApiPath } from "../../routes/openapi/document.ts";
import { operationOf } from "../../routes/table/find.ts";
import { type Example, EXAMPLES, STORED_EXAMPLES } from "../../routes/table/examples.ts";
import { OPERATIONS } from "../../routes/table/mod.ts";
import { answerFaults, operationSchemas, type TestDocument } from "../support/openapi.ts";
import { testApp } from "../support/service.ts";

const FOLDER = new URL("../../fixtures/digits/", import.meta.url);
const read = (file: string) => Deno.readFile(new URL(file, FOLDER));

/** Addresses that only the service knows, learned from what it answers. */
type Learned = Map<"job" | "report", string>;

function pathOf({ operation, path = {} }: Example, learned: Learned): string {
  const template = OPERATIONS.find(({ id }) => id === operation)!.path;
  if (operation === "getMergeReport") return learned.get("report")!;
  if (template.startsWith("/jobs/:id")) return template.replace("/jobs/:id", learned.get("job")!);
  return openApiPath(template).replaceAll(/\{(\w+)\}/g, (_, name: string) => path[name]!);
}

async function requestOf(example: Example, learned: Learned): Promise<Request> {
  const { operation, document, uploads, file, headers = {}, query = {} } = example;
  const { method, body } = OPERATIONS.find(({ id }) => id === operation)!;
  const url = new URL(pathOf(example, learned), "http://localhost");
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  if (file !== undefined) return new Request(url, { method, headers, body: await read(file) });
  if (document === undefined) return new Request(url, { method, headers });
  const text = JSON.stringify(document);
  if (uploads === undefined) {
    const type = { "content-type": "application/json" };
    return new Request(url, { method, headers: { ...type, ...headers }, body: text });
  }
  const form = new FormData();
  assert(body?.kind === "document");
  form.append(body.part, new Blob([text], { type: "application/json" }), "document.json");
  for (const [part, name] of Object.entries(uploads)) {
    form.append(part, new Blob([await read(name)]), name);
  }
  return new Request(url, { method, headers, body: form });
}

Deno.test("every operation has an example, and every example does what it says", async () => {
  const { app, faults, close } = testApp();
  try {
    const document: TestDocument = await (await app.request("/openapi.json")).json();
    const { check } = operationSchemas(document);
    for (const [id, file] of Object.entries(STORED_EXAMPLES)) {
      const stored = await app.request("/checkpoints", { method: "POST", body: await read(file) });
      assertEquals((await stored.json()).id, id);
    }
    const learned: Learned = new Map();
    for (const example of EXAMPLES) {
      const name = `${example.operation} ${example.name}`;
      const request = await requestOf(example, learned);
      const { method, url } = request;
      assertEquals(operationOf(method, new URL(url).pathname)?.id, example.operation, name);
      const response = await app.request(request);
      const { status, headers } = response;
      const link = /<(\/merges\/[^>]+)>/.exec(headers.get("link") ?? "")?.[1];
      if (link) learned.set("report", link);
      if (status === 202) learned.set("job", headers.get("location")!);
      const path = openApiPath(OPERATIONS.find(({ id }) => id === example.operation)!.path);
      const operation = document.paths[path]![method.toLowerCase()]!;
      assertEquals(await answerFaults(operation, response, check), [], name);
      assertEquals(status, example.status, name);
    }
    const shown = new Set(EXAMPLES.map(({ operation }) => operation));
    assertEquals(OPERATIONS.filter(({ id }) => !shown.has(id)), []);
    assertEquals(faults, []);
  } finally {
    await close();
  }
});
