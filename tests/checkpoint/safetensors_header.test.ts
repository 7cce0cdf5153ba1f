import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { memorySource } from "../../core/checkpoint/memory_source.ts";
import { openSafetensors } from "../../core/checkpoint/open_safetensors.ts";
import { parseSafetensorsHeader } from "../../core/checkpoint/safetensors_header.ts";
import type { ProblemKind } from "../../core/problem.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import { safetensorsBytes } from "../support/safetensors_bytes.ts";

/** A faulty file, and what must be said of it. */
interface FaultCase {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly byte: number;
  readonly tensor?: string;
  readonly kind?: ProblemKind;
  /** Part of the detail. */
  readonly says: string;
}

const GOOD = `"dtype":"F32","shape":[2],"data_offsets":[0,8]`;

/** A header whose fault stands where `mark` begins. */
function headerCase(
  name: string,
  header: string,
  mark: string,
  says: string,
  more: { tensor?: string; data?: number; kind?: ProblemKind } = {},
): FaultCase {
  const at = header.lastIndexOf(mark);
  if (at < 0) throw new Error(`No mark in ${header}`);
  const byte = 8 + new TextEncoder().encode(header.slice(0, at)).length;
  const { data = 8, ...rest } = more;
  return { name, bytes: safetensorsBytes(header, data), byte, says, ...rest };
}

/** One tensor named w with this entry; the fault is at `mark`. */
function entryCase(name: string, entry: string, mark: string, says: string): FaultCase {
  return headerCase(name, `{"w":{${entry}}}`, mark, says, { tensor: "w" });
}

/** Data faults: absolute bytes count from the end of the header. */
function dataCase(
  name: string,
  header: string,
  data: number,
  offset: number,
  says: string,
  tensor?: string,
): FaultCase {
  const bytes = safetensorsBytes(header, data);
  const named = tensor === undefined ? {} : { tensor };
  return { name, bytes, byte: 8 + header.length + offset, says, ...named };
}

const offsets = (text: string) => `"dtype":"F32","shape":[2],"data_offsets":${text}`;
const shape = (text: string) => `"dtype":"F32","shape":${text},"data_offsets":[0,8]`;
const u8 = (name: string, begin: number, end: number) =>
  `"${name}":{"dtype":"U8","shape":[${end - begin}],"data_offsets":[${begin},${end}]}`;

const CASES: readonly FaultCase[] = [
  {
    name: "no bytes",
    bytes: new Uint8Array(),
    byte: 0,
    says: "at least 8 bytes: current value is 0",
  },
  {
    name: "7 bytes",
    bytes: new Uint8Array(7),
    byte: 7,
    says: "at least 8 bytes: current value is 7",
  },
  { name: "no header", bytes: new Uint8Array(8), byte: 8, says: 'must begin with "{"' },
  {
    name: "header beyond the limit",
    bytes: safetensorsBytes("{}", 0, 7310034283826791228n),
    byte: 0,
    says: "must be at most 100000000: current value is 7310034283826791228",
  },
  {
    name: "header one byte beyond the limit",
    bytes: safetensorsBytes("{}", 0, 100_000_001n),
    byte: 0,
    says: "must be at most 100000000: current value is 100000001",
  },
  {
    name: "header longer than the file",
    bytes: safetensorsBytes("{}", 0, 3n),
    byte: 0,
    says: "must be at most 2, the bytes that follow it: current value is 3",
  },
  {
    name: "not UTF-8",
    bytes: safetensorsBytes(new Uint8Array([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d]), 0),
    byte: 11,
    says: "must be UTF-8",
  },
  {
    name: "UTF-8 that ends inside a character",
    bytes: safetensorsBytes(new Uint8Array([0x7b, 0x22, 0xe2, 0x82]), 0),
    byte: 12,
    says: "must be UTF-8",
  },
  headerCase("an array", `[1]`, "[", 'must begin with "{"'),
  headerCase("leading whitespace", ` {}`, " ", 'must begin with "{"'),
  headerCase("trailing text", `{"w":{${GOOD}}} x`, "x", "something follows the object"),
  headerCase("trailing zeros", `{"w":{${GOOD}}}\0`, "\0", "something follows the object"),
  headerCase("a trailing comma", `{"w":{${GOOD}},}`, "}", "a string is expected"),
  headerCase("cut off", `{"é":{"dtype":"F32`, '"F32', "a string is not closed", { tensor: "é" }),
  headerCase("a bare word", `{"é":{"dtype":nan}}`, "nan", "a value is expected", { tensor: "é" }),
  headerCase("no colon", `{"w"1}`, "1", '":" is expected', { tensor: "w" }),
  headerCase("a leading zero", `{"w":{"shape":[01]}}`, "1]", '"," is expected', { tensor: "w" }),
  headerCase("a raw control character", `{"a\nb":1}`, '"a', "a string is not closed"),
  headerCase("an unknown escape", `{"a\\x":1}`, '"a', "invalid escape"),
  headerCase("an unpaired surrogate", `{"a\\ud800":1}`, '"a', "invalid escape"),
  headerCase("too deep", `{"w":${"[".repeat(40)}`, "[".repeat(8), "deeper than 32", {
    tensor: "w",
  }),
  headerCase("too many items", `{"w":[${"0,".repeat(64)}7]}`, "7", "more than 64", { tensor: "w" }),
  headerCase("a duplicate name", `{"w":{${GOOD}}, "w":{${GOOD}}}`, `"w"`, "stands twice", {
    tensor: "w",
  }),
  headerCase(
    "a duplicate name in disguise",
    `{"w":{${GOOD}},"\\u0077":{}}`,
    `"\\u`,
    "stands twice",
    {
      tensor: "w",
    },
  ),
  headerCase("a duplicate __proto__", `{"__proto__":{${GOOD}},"__proto__":{}}`, `"__p`, "twice", {
    tensor: "__proto__",
  }),
  headerCase("a duplicate key", `{"w":{${GOOD},"dtype":"F16"}}`, `"dtype"`, "stands twice", {
    tensor: "w",
  }),
  headerCase("duplicate metadata", `{"__metadata__":{},"__metadata__":{}}`, `"__m`, "stands twice"),
  headerCase(
    "a duplicate metadata key",
    `{"__metadata__":{"a":"1","a":"2"}}`,
    `"a"`,
    "stands twice",
  ),
  headerCase("metadata that is a list", `{"__metadata__":["a"]}`, "[", "map strings to strings"),
  headerCase("metadata that is null", `{"__metadata__":null}`, "null", "map strings to strings"),
  headerCase("a metadata number", `{"__metadata__":{"a":"b","c":12}}`, "12", `of "c" is 12`),
  headerCase("an entry that is none", `{"w":7}`, "7", "must be an object", { tensor: "w" }),
  entryCase("no dtype", `"shape":[2],"data_offsets":[0,8]`, `{"shape`, `must have "dtype"`),
  entryCase("no shape", `"dtype":"F32","data_offsets":[0,8]`, `{"dtype`, `must have "shape"`),
  entryCase("no offsets", `"dtype":"F32","shape":[2]`, `{"dtype`, `must have "data_offsets"`),
  entryCase("a dtype number", `"dtype":32,"shape":[2],"data_offsets":[0,8]`, "32", "be a string"),
  headerCase(
    "an unknown dtype",
    `{"w":{"dtype":"F4","shape":[2],"data_offsets":[0,8]}}`,
    `"F4"`,
    "",
    {
      tensor: "w",
      kind: "unsupported-dtype",
    },
  ),
  headerCase("an inherited dtype", `{"w":{"dtype":"toString"}}`, `"toS`, `"toString"`, {
    tensor: "w",
    kind: "unsupported-dtype",
  }),
  ...[
    "2",
    "{}",
    "[-2]",
    "[2.0]",
    "[2e0]",
    '["2"]',
    "[null]",
    "[9007199254740992]",
    "[[2]]",
    "[1e400]",
  ]
    .map((text) => entryCase(`the shape ${text}`, shape(text), text, `current value is ${text}`)),
  entryCase("a size beyond 2^53", shape("[4294967296,4294967296]"), "[42", "below 2^53 bytes"),
  entryCase("an overflow before a zero", shape("[4294967296,4294967296,0]"), "[42", "below 2^53"),
  ...[
    "8",
    "[]",
    "[0]",
    "[0,8,8]",
    "[-0,8]",
    "[0,8.0]",
    "[0,0.5]",
    "[0,1e400]",
    "[0,8e0]",
    '["0","8"]',
    "[null,8]",
    "[0,9007199254740992]",
    "[-8,0]",
  ].map((text) =>
    entryCase(`the offsets ${text}`, offsets(text), text, `current value is ${text}`)
  ),
  entryCase("the offset NaN", offsets("[NaN,8]"), "NaN", "a value is expected"),
  entryCase("descending offsets", offsets("[8,0]"), "[8,0]", "must not descend"),
  entryCase(
    "too few bytes",
    offsets("[0,7]"),
    "[0,7]",
    "span the 8 bytes of F32 [2]: current value is 7",
  ),
  entryCase("too many bytes", offsets("[0,9]"), "[0,9]", "current value is 9"),
  dataCase("overlap", `{${u8("a", 0, 5)},${u8("b", 3, 8)}}`, 8, 3, "overlap", "b"),
  dataCase("the same bytes", `{${u8("a", 0, 4)},${u8("b", 0, 4)}}`, 4, 0, `overlap "a"`, "b"),
  dataCase(
    "an empty tensor inside another",
    `{${u8("a", 0, 4)},${u8("e", 2, 2)}}`,
    4,
    2,
    "overlap",
    "e",
  ),
  dataCase("a hole", `{${u8("b", 6, 8)},${u8("a", 0, 5)}}`, 8, 5, "must begin at byte", "b"),
  dataCase("a hole at the start", `{${u8("a", 1, 8)}}`, 8, 0, "must begin at byte", "a"),
  dataCase("data beyond the file", `{${u8("a", 0, 8)}}`, 7, 7, "must end inside the file", "a"),
  dataCase(
    "bytes after the last tensor",
    `{${u8("a", 0, 8)}}`,
    9,
    8,
    "must end with its last tensor",
  ),
  dataCase("bytes without any tensor", `{}`, 1, 0, "must end with its last tensor"),
];

Deno.test("every fault of a header is refused with its kind, byte, tensor and source", async () => {
  for (const { name, bytes, byte, tensor, kind = "invalid-checkpoint", says } of CASES) {
    const source = memorySource(bytes);
    const problem = await caughtProblem(() => openSafetensors(source, { name: "math" }));
    const { byte: foundByte, tensor: foundTensor, source: foundSource } = problem.members;
    assertEquals(
      { name, kind: problem.kind, byte: foundByte, tensor: foundTensor, source: foundSource },
      { name, kind, byte, tensor, source: "math" },
    );
    assertStringIncludes(problem.message, says);
  }
});

Deno.test("an unknown dtype is named together with those that are known", async () => {
  const bytes = safetensorsBytes(`{"w":{"dtype":"F8_E8M0","shape":[1],"data_offsets":[0,1]}}`, 1);
  const problem = await caughtProblem(() => openSafetensors(memorySource(bytes)));
  assertEquals(
    problem.message,
    'Cannot read the tensor "w" as its dtype must be one of F64, F32, F16, BF16, F8_E4M3, F8_E5M2, ' +
      'I64, I32, I16, I8, U64, U32, U16, U8, BOOL: current value is "F8_E8M0"',
  );
  assertEquals(problem.members, { byte: 22, tensor: "w", dtype: "F8_E8M0" });
});

Deno.test("a broken character far into a long header is found", async () => {
  const header = new TextEncoder().encode(`{"${"é".repeat(200_000)}":1}`);
  for (const at of [1, 65535, 65536, 131_071, 250_001, 399_999]) {
    const broken = header.slice();
    // 0xff stands nowhere in UTF-8.
    broken[at] = 0xff;
    const problem = await caughtProblem(() => parseSafetensorsHeader(broken, 8 + broken.length));
    assertEquals(problem.members.byte, 8 + at);
  }
});

Deno.test("tensors come in the order of their bytes, with absolute offsets", () => {
  const header = `{${u8("b", 2, 3)},${u8("z", 2, 2)},${u8("y", 2, 2)},${u8("a", 0, 2)}}`;
  const bytes = new TextEncoder().encode(header);
  const { tensors } = parseSafetensorsHeader(bytes, 8 + bytes.length + 3);
  const base = 8 + bytes.length;
  assertEquals(
    tensors.map(({ name, start, end }) => [name, start - base, end - base]),
    [["a", 0, 2], ["z", 2, 2], ["y", 2, 2], ["b", 2, 3]],
  );
});

Deno.test("whitespace, unknown keys and any order of keys are read", () => {
  const header = `{ "w" : { "data_offsets" : [ 0 ,\t1 ] , "note" : { "x" : [ 1.5 , true ] } ,\r\n` +
    ` "shape" : [ ] , "dtype" : "BOOL" } , "__metadata__" : { } }  `;
  const bytes = new TextEncoder().encode(header);
  const read = parseSafetensorsHeader(bytes, 9 + bytes.length);
  const start = 8 + bytes.length;
  assertEquals(read, {
    tensors: [{ name: "w", dtype: "BOOL", shape: [], start, end: start + 1 }],
    metadata: {},
  });
});

Deno.test("__proto__ is a name like any other and pollutes nothing", () => {
  const text = `{"__metadata__":{"__proto__":"x"},"__proto__":{"dtype":"U8","shape":[0],` +
    `"data_offsets":[0,0],"__proto__":{"polluted":true}}}`;
  const bytes = new TextEncoder().encode(text);
  const { tensors, metadata } = parseSafetensorsHeader(bytes, 8 + bytes.length);
  assertEquals(tensors.map(({ name }) => name), ["__proto__"]);
  assertEquals(Object.entries(metadata), [["__proto__", "x"]]);
  assertEquals(Object.getPrototypeOf(metadata), Object.prototype);
  assert(!("polluted" in {}));
});
