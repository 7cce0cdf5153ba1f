/**
 * The examples of `/openapi.json` as requests, for tests.
 *
 * @module
 */
import { assert } from "@std/assert";
import { openApiPath } from "../../routes/openapi/document.ts";
import type { Example } from "../../routes/table/examples.ts";
import { OPERATIONS } from "../../routes/table/mod.ts";

const FOLDER = new URL("../../fixtures/digits/", import.meta.url);

/** Reads a file that examples name. */
export const readExampleFile = (file: string): Promise<Uint8Array<ArrayBuffer>> =>
  Deno.readFile(new URL(file, FOLDER));

/** Addresses that only the service knows, learned from what it answers. */
export type Learned = Map<"job" | "report", string>;

/** The request of an example. As YAML its document is read by the other parser: JSON is YAML, too. */
export async function exampleRequest(
  { operation, document, uploads, file, headers = {}, query = {}, path = {} }: Example,
  learned: Learned,
  origin = "http://localhost",
  type: "application/json" | "application/yaml" = "application/json",
): Promise<Request> {
  const { method, body, path: template } = OPERATIONS.find(({ id }) => id === operation)!;
  const url = new URL(pathOf(), origin);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  if (file !== undefined) {
    return new Request(url, { method, headers, body: await readExampleFile(file) });
  }
  if (document === undefined) return new Request(url, { method, headers });
  const text = JSON.stringify(document);
  if (uploads === undefined) {
    return new Request(url, { method, headers: { "content-type": type, ...headers }, body: text });
  }
  const form = new FormData();
  assert(body?.kind === "document");
  form.append(body.part, new Blob([text], { type }), "document");
  for (const [part, name] of Object.entries(uploads)) {
    form.append(part, new Blob([await readExampleFile(name)]), name);
  }
  return new Request(url, { method, headers, body: form });

  function pathOf(): string {
    if (operation === "getMergeReport") return learned.get("report")!;
    if (template.startsWith("/jobs/:id")) {
      return template.replace("/jobs/:id", learned.get("job")!);
    }
    return openApiPath(template).replaceAll(/\{(\w+)\}/g, (_, name: string) => path[name]!);
  }
}

/** Keeps the addresses that an answer gives. */
export function learn(learned: Learned, { status, headers }: Response): void {
  const link = /<(\/merges\/[^>]+)>/.exec(headers.get("link") ?? "")?.[1];
  if (link !== undefined) learned.set("report", link);
  if (status === 202) learned.set("job", headers.get("location")!);
}
