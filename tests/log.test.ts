import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { createLog, type EventLevel, LOG_LEVELS } from "../core/log.ts";

const EVENTS: readonly EventLevel[] = ["error", "info", "debug"];

Deno.test("createLog() tells what its level asks for, and nothing at off", () => {
  const told = LOG_LEVELS.map((threshold) => {
    const levels: string[] = [];
    const log = createLog(threshold, (_, level) => levels.push(level));
    for (const level of EVENTS) log(level, "x");
    return levels;
  });
  assertEquals(told, [[], ["error"], ["error", "info"], ["error", "info", "debug"]]);
});

Deno.test("a line is JSON with time, level and message; undefined members are left out", () => {
  const lines: string[] = [];
  createLog("info", (line) => lines.push(line), () => 0)("info", "request", { a: 1, b: undefined });
  assertEquals(lines, [
    '{"time":"1970-01-01T00:00:00.000Z","level":"info","message":"request","a":1}',
  ]);
});

Deno.test("a line has no line end and no secret, whatever its members hold", () => {
  fc.assert(fc.property(fc.object(), fc.webUrl({ withQueryParameters: true }), (more, url) => {
    const lines: string[] = [];
    const log = createLog("debug", (line) => lines.push(line));
    log("debug", `reads ${url}?sig=HUSH\n`, {
      more,
      error: new Error(`no answer of https://me:HUSH@example.org/x?X-Amz-Signature=HUSH`),
      authorization: "Bearer HUSH",
    });
    assertEquals(lines.length, 1);
    assertEquals(/\n|HUSH/.test(lines[0]!), false, lines[0]);
    JSON.parse(lines[0]!);
  }));
});
