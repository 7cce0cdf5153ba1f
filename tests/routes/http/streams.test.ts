import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Bytes } from "../../../core/checkpoint/byte_source.ts";
import { Problem } from "../../../core/problem.ts";
import { streamOfLength } from "../../../routes/http/streams.ts";

/** Pieces of three bytes as a stream of a length, and what its end was told: "whole", or why it was not. */
function stream(pieces: number, length: number, failure?: Error) {
  const told: string[] = [];
  let left = pieces;
  let asked = 0;
  const next = () => {
    asked++;
    if (left-- > 0) return { done: false as const, value: new Uint8Array(3) as Bytes };
    if (failure) throw failure;
    return { done: true as const, value: undefined };
  };
  const body = streamOfLength(next, length, (error) => {
    told.push(error === undefined ? "whole" : (error as Error).message);
    return Promise.resolve();
  });
  return { body, told, asked: () => asked };
}

Deno.test("the end is told with the last byte, so that who asks for no more knows it", async () => {
  const { body, told, asked } = stream(4, 12);
  const reader = body.getReader();
  for (let piece = 0; piece < 3; piece++) await reader.read();
  assertEquals(told, []);
  assertEquals((await reader.read()).value?.length, 3);
  assertEquals([told, asked()], [["whole"], 5]);
  await reader.cancel("sent");
  assertEquals(told, ["whole"]);
  const empty = stream(0, 0);
  assertEquals((await new Response(empty.body).bytes()).length, 0);
  assertEquals(empty.told, ["whole"]);
});

Deno.test("what is given up, fails, or has another length is told once, with the reason", async () => {
  const given = stream(4, 12);
  const reader = given.body.getReader();
  await reader.read();
  await reader.cancel("gone");
  assertEquals(given.told, ["The client went away before the end of the stream"]);
  const cases = [
    { pieces: 4, length: 11, reason: "must end after 11 bytes" },
    { pieces: 4, length: 9, reason: "must end after 9 bytes" },
    { pieces: 4, length: 14, reason: "2 did not come" },
    { pieces: 2, length: 9, failure: new Problem("non-finite", "No number"), reason: "No number" },
    { pieces: 3, length: 9, failure: new Problem("upstream", "Too late"), reason: "Too late" },
  ];
  for (const { pieces, length, failure, reason } of cases) {
    const { body, told } = stream(pieces, length, failure);
    await assertRejects(() => new Response(body).bytes());
    assertEquals(told.length, 1);
    assertStringIncludes(told[0]!, reason);
  }
});
