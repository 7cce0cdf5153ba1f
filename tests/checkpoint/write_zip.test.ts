import { assertEquals } from "@std/assert";
import { readContent } from "../../core/atm/shard/zip_content.ts";
import { readZipDirectory } from "../../core/atm/shard/zip_directory.ts";
import type { Bytes, ByteSource } from "../../core/checkpoint/byte_source.ts";
import { crc32 } from "../../core/checkpoint/crc32.ts";
import { memorySource } from "../../core/checkpoint/memory_source.ts";
import { writeZip, type ZipFile, zipLength } from "../../core/checkpoint/write_zip.ts";

function bytesOf(text: string): Bytes {
  return new TextEncoder().encode(text);
}

Deno.test("crc32() gives the published check value, in one piece or in several", () => {
  const check = bytesOf("123456789");
  assertEquals(crc32(check), 0xcbf43926);
  for (let cut = 0; cut <= check.length; cut++) {
    assertEquals(crc32(check.subarray(cut), crc32(check.subarray(0, cut))), 0xcbf43926);
  }
  assertEquals(crc32(new Uint8Array()), 0);
  // Of 32 zero bytes and of 32 bytes 0xff, as in RFC 3720's test vectors but for the ISO polynomial (zlib).
  assertEquals(crc32(new Uint8Array(32)), 0x190a55ad);
  assertEquals(crc32(new Uint8Array(32).fill(0xff)), 0xff6cab0b);
});

Deno.test("files are packed as they are, and their names and checksums stand in the directory", async () => {
  const contents: [string, string][] = [["a.txt", "alpha"], ["sub/ä.bin", ""], [
    "c",
    "x".repeat(999),
  ]];
  const files = contents.map(([name, text]): ZipFile => ({
    name,
    byteLength: bytesOf(text).length,
    content: async function* () {
      await Promise.resolve();
      for (const part of text.match(/.{1,7}/gs) ?? []) yield bytesOf(part);
    },
  }));
  const archive = await gather(writeZip(files));
  assertEquals(archive.length, zipLength(files));
  const file = { name: "archive", source: memorySource(archive) };
  const members = await readZipDirectory(file);
  const read = await Promise.all(
    [...members.values()].map(async (member) => [
      member.name,
      new TextDecoder().decode(await readContent(file, member)),
    ]),
  );
  assertEquals(read, contents);
  // The general-purpose bits say that sizes follow and names are UTF-8.
  assertEquals([archive[6], archive[7]], [0x08, 0x08]);
});

Deno.test("beyond 4 GiB sizes and places stand in the 64-bit extension", async () => {
  const large = 5 * 2 ** 30;
  const sizes: [string, number][] = [["small", 3], ["large", large], ["after", 2]];
  // The content is left out: only headers are made, and put where they would stand.
  const pieces: { at: number; bytes: Bytes }[] = [];
  let at = 0;
  const files = sizes.map(([name, byteLength]): ZipFile => ({
    name,
    byteLength,
    content: async function* () {
      at += await Promise.resolve(byteLength);
      yield* [];
    },
  }));
  for await (const bytes of writeZip(files)) {
    pieces.push({ at, bytes });
    at += bytes.length;
  }
  assertEquals(at, zipLength(files));
  const source: ByteSource = {
    byteLength: at,
    slice(start, end) {
      const out = new Uint8Array(end - start);
      for (const piece of pieces) {
        const from = Math.max(start, piece.at);
        const to = Math.min(end, piece.at + piece.bytes.length);
        if (from < to) {
          out.set(piece.bytes.subarray(from - piece.at, to - piece.at), from - start);
        }
      }
      return Promise.resolve(out);
    },
  };
  const members = [...(await readZipDirectory({ name: "archive", source })).values()];
  assertEquals(members.map(({ name, size }) => [name, size]), sizes);
  const header = 30 + 5;
  assertEquals(members.map((member) => member.header), [
    0,
    header + 3 + 16,
    header + 3 + 16 + header + 20 + large + 24,
  ]);
});

async function gather(pieces: AsyncIterable<Bytes>): Promise<Uint8Array> {
  const parts: Bytes[] = [];
  for await (const piece of pieces) parts.push(piece);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
