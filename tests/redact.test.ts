import { assertEquals } from "@std/assert";
import { redact, redactValue } from "../core/redact.ts";

/** Each text holds the secret `hush`, in full or as a part. */
const SECRETS: readonly [text: string, expected: string][] = [
  ["Authorization: Bearer hush-1234.abc", "Authorization: Bearer [redacted]"],
  ["authorization=Basic aHVzaDpodXNo hush", "authorization=Basic [redacted] hush"],
  ["https://me:hush@host.example/a", "https://host.example/a"],
  ["https://hush@host.example:8443/a", "https://host.example:8443/a"],
  ["https://a@b:hush@host.example/a", "https://host.example/a"],
  ["s3://me:hush@bucket/a", "s3://bucket/a"],
  ["GET https://host.example/a?token=hush#hush", "GET https://host.example/a?[redacted]"],
  ["https://host.example/a#hush", "https://host.example/a#[redacted]"],
  [
    "https://b.s3.example/k?X-Amz-Credential=hush%2F2026&X-Amz-Signature=hush",
    "https://b.s3.example/k?[redacted]",
  ],
  ['{"url":"https://a.example/?sig=hush"}', '{"url":"https://a.example/?[redacted]"}'],
  ["token=hush&other=1", "token=[redacted]&other=1"],
  ['"password": "hush hush"', '"password": [redacted]'],
  ["x-amz-security-token: hush", "x-amz-security-token: [redacted]"],
  ["api_key = 'hush hush', next", "api_key = [redacted], next"],
  ["with hf_hushhushhush inside", "with [redacted] inside"],
  ["AKIAHUSHHUSHHUSHHUSH", "[redacted]"],
  ["ghp_hushhushhushhush1", "[redacted]"],
  ["eyJhbGciOiJI.eyJodXNo.aHVzaA", "[redacted]"],
  [`data ${"aHVz".repeat(50)} end`, "data [redacted] end"],
];

Deno.test("redact() takes keys, credentials, queries and data out, and leaves the rest", () => {
  for (const [text, expected] of SECRETS) assertEquals(redact(text), expected, text);
  for (
    const text of [
      "amalgam listens on http://127.0.0.1:8000",
      "https://host.example/models/a.safetensors failed: current status is 404",
      "POST /merge 200 in 12.5 ms",
      `sha256:${"ab".repeat(32)}`,
      'Bearer realm="amalgam"',
      "at answer (file:///app/routes/merge.ts:70:10)",
    ]
  ) {
    assertEquals(redact(text), text);
  }
});

Deno.test("redact() done twice is redact() done once", () => {
  for (const [text] of SECRETS) assertEquals(redact(redact(text)), redact(text));
});

Deno.test("redact() cuts long texts and takes little time for hostile ones", () => {
  const started = performance.now();
  for (const piece of ["a://", "x@", "token=", "Bearer ", "?&", "a ", "eyJ."]) {
    const short = redact(piece.repeat(200_000));
    assertEquals(short.length < 20_000, true, piece);
  }
  assertEquals(performance.now() - started < 2000, true);
});

Deno.test("redactValue() masks members by their name, data, errors and addresses", () => {
  const error = new Error("failed at https://me:hush@a.example/?hush");
  const value = {
    id: "a",
    url: "https://me:hush@a.example/?hush",
    headers: { "x-own": "hush" },
    authorization: "hush",
    "set-cookie": "hush",
    apiKey: "hush",
    hubToken: "hush",
    keys: ["hush"],
    body: "hush",
    data: { row: "hush" },
    bytes: 5,
    tokens: 7,
    weights: new Uint8Array(3),
    nested: [{ password: "hush" }, new URL("https://hush@a.example/")],
    error,
    big: 5n,
    none: null,
  };
  const shown = redactValue(value) as Record<string, unknown>;
  assertEquals(JSON.stringify(shown).includes("hush"), false, JSON.stringify(shown));
  assertEquals([shown.id, shown.bytes, shown.tokens, shown.weights], ["a", 5, 7, "[3 bytes]"]);
  assertEquals([shown.url, shown.big, shown.none], ["https://a.example/?[redacted]", "5", null]);
  assertEquals(String(shown.error).startsWith("Error: failed at https://a.example/"), true);
});

Deno.test("redactValue() ends for what refers to itself, and cuts long lists", () => {
  const ring: Record<string, unknown> = {};
  ring.ring = ring;
  assertEquals(JSON.stringify(redactValue(ring)).length < 200, true);
  const list = redactValue(Array.from({ length: 5000 }, (_, i) => i)) as unknown[];
  assertEquals([list.length, list.at(-1)], [101, "… (5000 items)"]);
});
