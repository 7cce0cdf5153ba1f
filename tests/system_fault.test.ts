import { assertEquals } from "@std/assert";
import { systemFault } from "../core/system_fault.ts";
import { problemResponse } from "../routes/http/problem.ts";

const CASES: readonly (readonly [unknown, string, string | null])[] = [
  [failure("No space left on device (os error 28)", "ENOSPC"), "insufficient-storage", null],
  [failure("Disk quota exceeded (os error 122)"), "insufficient-storage", null],
  [failure("database or disk is full"), "insufficient-storage", null],
  [failure("Too many open files (os error 24)", "EMFILE"), "unavailable", "1"],
  [failure("database is locked"), "unavailable", "1"],
  [failure("Input/output error (os error 5)", "EIO"), "internal", null],
  ["text", "internal", null],
];

function failure(message: string, code?: string): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

Deno.test("a full disk and what passes by itself are told; every other failure is ours alone", async () => {
  for (const [error, kind, retry] of CASES) {
    const told: unknown[] = [];
    const answer = problemResponse(error, {
      instance: "/",
      method: "GET",
      log: (_, error) => told.push(error),
    });
    const { type, detail } = await answer.json();
    assertEquals([type, answer.headers.get("retry-after")], [`/problems/${kind}`, retry]);
    assertEquals(detail.includes("os error"), false);
    assertEquals(told, [error]);
    assertEquals(systemFault(error)?.kind ?? "internal", kind);
  }
});
