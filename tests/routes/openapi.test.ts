import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Validator } from "@seriousme/openapi-schema-validator";
import { PROBLEMS } from "../../core/problem.ts";
import { openApiPath } from "../../routes/openapi/document.ts";
import { DOCS_POLICY } from "../../routes/openapi.ts";
import { MEANINGS } from "../../routes/table/meanings.ts";
import { OPERATIONS } from "../../routes/table/mod.ts";
import { operationSchemas } from "../support/openapi.ts";
import { testApp } from "../support/service.ts";

type App = ReturnType<typeof testApp>["app"];

async function served(run: (app: App) => Promise<void>, keys: string[] = []): Promise<void> {
  const { app, close } = testApp({ keys });
  try {
    await run(app);
  } finally {
    await close();
  }
}

Deno.test("/openapi.json is a valid OpenAPI 3.1 document with every operation and problem", () =>
  served(async (app) => {
    const response = await app.request("/openapi.json");
    assertEquals(response.status, 200);
    const document = await response.json();
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    assert(valid, JSON.stringify(errors));
    const broken = { ...document, paths: { "no-slash": {} } };
    assert(!(await new Validator().validate(broken)).valid);
    const described = Object.entries(document.paths as Record<string, Record<string, unknown>>)
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
    const listed = OPERATIONS.flatMap(({ method, path, head }) => {
      const name = openApiPath(path);
      return [`${method.toLowerCase()} ${name}`, ...(head ? [`head ${name}`] : [])];
    });
    assertEquals(described.sort(), listed.sort());
    const types = Object.values(
      document.components.schemas as Record<string, {
        properties?: { type?: { const?: string } };
      }>,
    ).map(({ properties }) => properties?.type?.const).filter((type) => type !== undefined);
    assertEquals(types, Object.keys(PROBLEMS).map((kind) => `/problems/${kind}`));
  }));

Deno.test("every schema and example of the document holds: references resolve, examples fit", () =>
  served(async (app) => {
    const document = await (await app.request("/openapi.json")).json();
    const { check, ajv } = operationSchemas(document);
    for (const name of Object.keys(document.components.schemas)) {
      assert(ajv.getSchema(`openapi#/components/schemas/${name}`), name);
    }
    for (
      const [kind, { value }] of Object.entries<{ value: unknown }>(document.components.examples)
    ) {
      const name = kind.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
      assertEquals(check({ $ref: `#/components/schemas/${name}Problem` }, value), [], kind);
    }
    let examples = 0;
    for (const methods of Object.values<Record<string, unknown>>(document.paths)) {
      for (
        const { operationId, requestBody } of Object.values(methods) as {
          operationId: string;
          requestBody?: { content: Record<string, { schema: object; examples?: object }> };
        }[]
      ) {
        for (const { schema, examples: given = {} } of Object.values(requestBody?.content ?? {})) {
          for (const [name, { value }] of Object.entries(given)) {
            assertEquals(check(schema, value), [], `${operationId} ${name}`);
            examples++;
          }
        }
      }
    }
    assert(examples >= 12);
  }));

/** The keys of a schema, those of maps inside of it as paths. */
function keysOf(schema: Record<string, unknown>, before = ""): string[] {
  const { properties = {}, items, anyOf } = schema as {
    properties?: Record<string, Record<string, unknown>>;
    items?: Record<string, unknown>;
    anyOf?: Record<string, unknown>[];
  };
  return [
    ...Object.entries(properties).flatMap(([key, member]) => [
      before + key,
      ...keysOf(member, `${before}${key}.`),
    ]),
    ...(items ? keysOf(items, before) : []),
    ...(anyOf ?? []).flatMap((option) => keysOf(option, before)),
  ];
}

Deno.test("every key of a document is explained, and no other", () =>
  served(async (app) => {
    const { components: { schemas } } = await (await app.request("/openapi.json")).json();
    // The task of these documents stands in them, as some of it may be left out; `Task` explains it.
    const elsewhere = /^tasks?\.|^tensors\.(?:in|ex)clude$/;
    for (const [name, meanings] of Object.entries(MEANINGS)) {
      const keys = keysOf(schemas[name]);
      for (const key of Object.keys(meanings)) assert(keys.includes(key), `${name}: ${key}`);
      for (const key of keys.filter((key) => !key.includes(".") || name === "Recipe")) {
        assert(meanings[key] || elsewhere.test(key), `${name}: ${key} is not explained`);
        const { description = "" } = schemas[name].properties[key] ?? {};
        if (!key.includes(".")) assertStringIncludes(description, meanings[key]!);
      }
    }
  }));

Deno.test("/openapi.json and /docs answer without a key, and 304 to their own tags", () =>
  served(async (app) => {
    for (const path of ["/openapi.json", "/docs", "/docs/style.css"]) {
      const first = await app.request(path);
      assertEquals(first.status, 200, path);
      await first.body?.cancel();
      const tag = first.headers.get("etag");
      assert(tag);
      const again = await app.request(path, { headers: { "if-none-match": tag } });
      assertEquals([again.status, await again.text()], [304, ""]);
    }
  }, ["0".repeat(64)]));

Deno.test("/docs shows every operation, problem and schema, and loads nothing from elsewhere", () =>
  served(async (app) => {
    const response = await app.request("/docs");
    assertEquals(response.headers.get("content-security-policy"), DOCS_POLICY);
    assertStringIncludes(response.headers.get("content-type") ?? "", "text/html");
    const page = await response.text();
    for (const { id } of OPERATIONS) assertStringIncludes(page, `<article id="${id}">`);
    for (const kind of Object.keys(PROBLEMS)) assertStringIncludes(page, `id="problem-${kind}"`);
    assert(!/<script|<style|\sstyle=|\son\w+=/i.test(page), "inline script or style");
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]!);
    assertEquals(new Set(ids).size, ids.length);
    const links = [...page.matchAll(/\s(?:href|src)="([^"]+)"/g)].map((match) => match[1]!);
    for (const link of links) {
      if (link.startsWith("#")) assert(ids.includes(link.slice(1)), link);
      else assertEquals((await app.request(link)).status, 200, link);
    }
    assert(!/>\s*(?:undefined|NaN)\b|\[object/.test(page));
  }));

Deno.test("GET / links to both", () =>
  served(async (app) => {
    const { resources } = await (await app.request("/")).json();
    assertEquals([resources.openapi, resources.docs], ["GET /openapi.json", "GET /docs"]);
  }));
