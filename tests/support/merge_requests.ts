/**
 * Requests with recipes, and files from what they answer, for tests.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { memorySource } from "../../core/checkpoint/memory_source.ts";
import { openSafetensors } from "../../core/checkpoint/open_safetensors.ts";
import { readContent } from "../../core/atm/shard/zip_content.ts";
import { readZipDirectory } from "../../core/atm/shard/zip_directory.ts";
import type { testApp } from "./service.ts";

/** The application of a test. */
export type TestApp = ReturnType<typeof testApp>["app"];
/** Files by name. */
export type Files = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

/** A file of `fixtures/sharded`. */
export function shardedFixture(path: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL(`../../fixtures/sharded/${path}`, import.meta.url));
}

/** Posts a recipe, with uploads if there are any. */
export async function postRecipe(
  app: TestApp,
  path: string,
  recipe: unknown,
  uploads: Files = {},
): Promise<Response> {
  const json = JSON.stringify(recipe);
  if (Object.keys(uploads).length === 0) {
    const headers = { "content-type": "application/json" };
    return await app.request(path, { method: "POST", body: json, headers });
  }
  const body = new FormData();
  body.append("recipe", new Blob([json], { type: "application/json" }), "recipe.json");
  for (const [name, bytes] of Object.entries(uploads)) body.append(name, new Blob([bytes]), name);
  return await app.request(path, { method: "POST", body });
}

/** The bytes of a merge that must succeed, of the announced length. */
export async function mergedBytes(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  assertEquals(response.status, 200, response.ok ? "" : await response.text());
  const bytes = new Uint8Array(await response.arrayBuffer());
  assertEquals(String(bytes.length), response.headers.get("content-length"));
  return bytes;
}

/** A problem document: its kind, and the rest. */
export async function problemOf(response: Response): Promise<
  {
    kind: string;
    status: number;
    detail: string;
    errors?: { path: string; message: string }[];
    [member: string]: unknown;
  }
> {
  assertEquals(response.headers.get("content-type"), "application/problem+json");
  const document = await response.json();
  return { ...document, kind: document.type.replace("/problems/", "") };
}

/** Every tensor of a safetensors file as float32 numbers. */
export async function floatsOf(bytes: Uint8Array): Promise<Record<string, Float32Array>> {
  const { tensors } = await openSafetensors(memorySource(bytes));
  return Object.fromEntries(
    [...tensors.values()].filter(({ dtype }) => dtype === "F32").map(({ name, start, end }) => [
      name,
      new Float32Array(bytes.slice(start, end).buffer),
    ]),
  );
}

/** The files of an archive, their checksums checked. */
export async function unzipped(
  bytes: Uint8Array,
): Promise<Record<string, Uint8Array<ArrayBuffer>>> {
  const file = { name: "archive", source: memorySource(bytes) };
  const files: Record<string, Uint8Array<ArrayBuffer>> = {};
  for (const member of await readZipDirectory(file)) {
    files[member.name] = await readContent(file, member);
  }
  return files;
}
