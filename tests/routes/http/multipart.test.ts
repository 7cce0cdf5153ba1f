import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  cutAt,
  fieldHeader,
  fileHeader,
  multipartBody,
  multipartRequest,
  takeParts,
} from "../../support/multipart_body.ts";

const encoder = new TextEncoder();

/** Texts out of what delimiters are made of, without a delimiter inside. */
const nearBoundaries = fc.array(
  fc.constantFrom(
    "\r\n--aXa",
    "\r\n--aX",
    "\r\n",
    "\r",
    "\n",
    "--",
    "-",
    "aXa",
    "a",
    " ",
    "\t",
    "é",
  ),
  { maxLength: 12 },
).map((pieces) => pieces.join(""))
  .filter((text) => !/\r\n--aXa(?:--|[ \t]*\r\n)/.test(`\r\n${text}\r\n`));

Deno.test("readMultipart() finds the same parts wherever the body is cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(nearBoundaries, { maxLength: 4 }),
      fc.array(fc.nat(400), { maxLength: 30 }),
      nearBoundaries,
      async (contents, places, preamble) => {
        const parts = contents.map((content, i) => ({ header: fileHeader(`part${i}`), content }));
        const body = multipartBody("aXa", parts);
        const led = new Uint8Array([...encoder.encode(`${preamble}\r\n`), ...body]);
        const cuts = places.filter((place) => place < led.length);
        const expected = contents.map((text, i) => ({ name: `part${i}`, text, kind: "file" }));
        assertEquals(await takeParts(multipartRequest("aXa", [body])), expected);
        assertEquals(await takeParts(multipartRequest("aXa", cutAt(led, cuts))), expected);
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("readMultipart() reads a body byte by byte, and one cut in two at any byte", async () => {
  const body = multipartBody("b1b", [
    { header: `${fieldHeader("recipe")}\r\nContent-Type: application/json`, content: "{}" },
    { header: fileHeader("empty"), content: "" },
    { header: fileHeader("math"), content: "\r\n--b1bb\r\n--b1\r\r\n" },
  ]);
  const expected = [
    { name: "recipe", text: "{}", kind: "field" },
    { name: "empty", text: "", kind: "file" },
    { name: "math", text: "\r\n--b1bb\r\n--b1\r\r\n", kind: "file" },
  ];
  const every = Array.from(body, (_, i) => i);
  assertEquals(await takeParts(multipartRequest("b1b", cutAt(body, every))), expected);
  for (const place of every) {
    assertEquals(await takeParts(multipartRequest("b1b", cutAt(body, [place]))), expected);
  }
});

Deno.test("readMultipart() reads what FormData writes", async () => {
  const form = new FormData();
  form.append('quo"ted\nfield', "wert ü");
  form.append("file ü", new File([new Uint8Array(200_000).fill(13)], 'a"\\b.bin'));
  const request = new Request("http://localhost/", { method: "POST", body: form });
  const [field, file] = await takeParts(request);
  // Line breaks of names are sent as CRLF.
  assertEquals(field, { name: 'quo"ted\r\nfield', text: "wert ü", kind: "field" });
  assertEquals(file, { name: "file ü", text: "\r".repeat(200_000), kind: "file" });
});

Deno.test("readMultipart() accepts spaces behind a delimiter, no header lines' end, and no parts", async () => {
  const text = `--b \t\r\n${fileHeader("a")}\r\n\r\n--b\r\n${fileHeader("c")}\r\n\r\nx\r\n--b--`;
  assertEquals(await takeParts(multipartRequest("b", [encoder.encode(text)])), [
    { name: "a", text: "", kind: "file" },
    { name: "c", text: "x", kind: "file" },
  ]);
  assertEquals(await takeParts(multipartRequest("b", [encoder.encode("--b--\r\n")])), []);
});

Deno.test("readMultipart() tells files and fields apart", async () => {
  const types: [string, "field" | "file"][] = [
    ["", "field"],
    ["\r\ncontent-type: text/plain; charset=UTF-8", "field"],
    ["\r\nContent-Type: application/yaml", "field"],
    ["\r\nContent-Type: application/x-yaml", "field"],
    ["\r\nContent-Type: application/ld+json", "field"],
    ["\r\nContent-Type: application/octet-stream", "file"],
    ["\r\nContent-Type: application/vnd.safetensors", "file"],
  ];
  const parts = types.map(([type], i) => ({ header: fieldHeader(`p${i}`) + type, content: "x" }));
  const taken = await takeParts(multipartRequest("b", [multipartBody("b", parts)]));
  assertEquals(taken.map(({ kind }) => kind), types.map(([, kind]) => kind));
});
