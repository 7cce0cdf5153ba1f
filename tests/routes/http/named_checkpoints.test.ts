import { assertEquals } from "@std/assert";
import { memorySource } from "../../../core/checkpoint/memory_source.ts";
import { namedCheckpoints } from "../../../routes/http/named_checkpoints.ts";

const [A, B, C] = ["a", "b", "c"].map((digit) => `sha256:${digit.repeat(64)}`);
const LIMIT = 1 << 18;

async function named(body: BodyInit, type?: string): Promise<string[]> {
  const request = new Request("http://localhost/merge", {
    method: "POST",
    body,
    ...(type === undefined ? {} : { headers: { "content-type": type } }),
  });
  const bytes = await request.clone().bytes();
  return await namedCheckpoints(request, memorySource(bytes), LIMIT);
}

function form(document: string, file: BlobPart): FormData {
  const made = new FormData();
  made.append("recipe", new Blob([document], { type: "application/json" }), "recipe");
  made.append("a", new Blob([file]), "a");
  return made;
}

Deno.test("the ids of a document are found, each once, in JSON and YAML", async () => {
  assertEquals(await named(JSON.stringify([A, B, A]), "application/json"), [A, B]);
  assertEquals(await named(`sources:\n  a: { checkpoint: ${C} }\n`, "application/yaml"), [C]);
  assertEquals(await named("{}"), []);
});

Deno.test("of a form only the document counts, wherever the pieces of the body end", async () => {
  assertEquals(await named(form(JSON.stringify({ a: B }), `{"made from": "${C}"}`)), [B]);
  // The id lies over the end of a piece.
  const long = JSON.stringify({ note: "x".repeat(65_300), a: A, more: "x".repeat(70_000), b: B });
  assertEquals(await named(form(long, new Uint8Array(200_000))), [A, B]);
});

Deno.test("a malformed request names nothing, or what can be read of it", async () => {
  assertEquals(await named(A!, "multipart/form-data"), []);
  assertEquals(await named(A!, "multipart/form-data; boundary=x"), []);
  assertEquals(await named(`--x\r\nnonsense\r\n\r\n${A}`, "multipart/form-data; boundary=x"), []);
  assertEquals(await named(A!, ";;"), [A]);
  assertEquals(await named(A! + " ".repeat(LIMIT), "application/json"), []);
});
