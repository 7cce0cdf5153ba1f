import { assertEquals, assertLess } from "@std/assert";
import { bodyChunks } from "../../../routes/http/body_chunks.ts";

/** What a server's handler sees of a body sent as `headers` say. */
async function sizes(body: BodyInit): Promise<{ bytes: number; buffer: number }> {
  const seen = { bytes: 0, buffer: 0 };
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    for await (const chunk of bodyChunks(request, { maximum: 2 ** 30 })) {
      seen.bytes += chunk.length;
      seen.buffer = Math.max(seen.buffer, chunk.buffer.byteLength);
    }
    return new Response();
  });
  const response = await fetch(`http://127.0.0.1:${server.addr.port}`, { method: "POST", body });
  await response.body?.cancel();
  await server.shutdown();
  return seen;
}

const CONTENT = new Uint8Array(3 << 20);

Deno.test("a body of known length fills one lent buffer of 1 MiB again and again", async () => {
  assertEquals(await sizes(CONTENT), { bytes: CONTENT.length, buffer: 1 << 20 });
});

Deno.test("a chunked body comes in the host's own pieces, as a lent buffer would cost 1 MiB for each", async () => {
  const { bytes, buffer } = await sizes(new Blob([CONTENT]).stream());
  assertEquals(bytes, CONTENT.length);
  assertLess(buffer, 1 << 20);
});
