import { assertEquals } from "@std/assert";
import { Problem } from "../core/problem.ts";
import { checkReadiness } from "../core/readiness.ts";
import { caughtProblem } from "./support/caught_problem.ts";

Deno.test("checkReadiness() resolves if every part answers", async () => {
  await checkReadiness({ "the store": () => Promise.resolve(), "the engine": async () => {} }, 100);
});

Deno.test("checkReadiness() names every part that fails, and tells nothing of the inside of faults of ours", async () => {
  const problem = await caughtProblem(() =>
    checkReadiness({
      "the store": () => Promise.reject(new Error("EACCES /srv/secret")),
      "the records": () => {
        throw new Error("at once");
      },
      "the engine": () => Promise.reject(new Problem("unavailable", "Cannot start")),
      "the clock": () => Promise.resolve(1),
      "the disk": () => new Promise(() => {}),
    }, 20)
  );
  assertEquals(problem.kind, "unavailable");
  assertEquals(
    problem.message,
    "the store fails, the records fails, the engine fails: Cannot start, " +
      "the disk does not answer within 0.02 s",
  );
  assertEquals(problem.members["failed"], [
    "the store",
    "the records",
    "the engine",
    "the disk",
  ]);
});
