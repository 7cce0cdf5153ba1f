import { assert, assertEquals } from "@std/assert";
import {
  adviceOf,
  kindOf,
  membersOf,
  suggestionsOf,
} from "../../../../routes/page/app/parts/problem_words.ts";
import { testApp } from "../../../support/service.ts";

/** A problem document with further members. */
function problem(members: Record<string, unknown>) {
  const document = { type: "/problems/mismatch", title: "Title", status: 422, detail: "Detail" };
  return { ...document, ...members };
}

Deno.test("every kind of problem that the service knows has advice, and no kind has another's by chance", async () => {
  const { app, close } = testApp();
  const answer = await app.request("/problems", { headers: { accept: "application/json" } });
  const { problems } = await answer.json() as { problems: { type: string; title: string }[] };
  assert(problems.length > 20);
  for (const { type, title } of problems) {
    const document = problem({ type, title });
    assertEquals(`/problems/${kindOf(document)}`, type);
    assert((adviceOf(document) ?? "").endsWith("."), type);
  }
  await close();
  for (const type of ["about:blank", "/problems/constructor", "/problems/nothing"]) {
    assertEquals(adviceOf(problem({ type })), undefined);
  }
  assertEquals(adviceOf(problem({ retry_after: 4.2 })), "Try again in 5 s.");
});

Deno.test("members are told with their labels, and long ones are cut", () => {
  assertEquals(
    membersOf(problem({
      errors: [{ path: "a", message: "b" }],
      nearest: ["x"],
      instance: "/merge",
      tensor: "layers.0",
      shapes: { a: [1, 2] },
      rows: Array.from({ length: 10 }, (_, i) => i),
      upstream_status: 503,
      some_thing: true,
      absent: null,
    })),
    [
      { label: "Tensor", text: "layers.0" },
      { label: "Shapes", text: '{"a":[1,2]}' },
      { label: "First rows", text: "0, 1, 2, 3, 4, 5, 6, 7 and 2 more" },
      { label: "It answered", text: "503" },
      { label: "Some thing", text: "true" },
    ],
  );
  assertEquals(membersOf(problem({ value: "x".repeat(1000) }))[0]?.text.length, 301);
});

Deno.test("corrections are found in nearest names and in faults", () => {
  const message = (near: string, value: string) =>
    `Cannot use it, did you mean ${JSON.stringify(near)}: current value is ${
      JSON.stringify(value)
    }`;
  assertEquals(
    suggestionsOf(problem({
      errors: [{ path: "merge_method", message: message("ties", "tise") }],
      nearest: ["ties", "dare_ties"],
    })),
    [
      { path: "merge_method", name: "ties", wrong: "tise" },
      { path: "merge_method", name: "dare_ties" },
    ],
  );
  assertEquals(
    suggestionsOf(problem({
      errors: [{ path: "models[0].model", message: 'Cannot find it: current value is "lefft"' }],
      nearest: { lefft: "left" },
    })),
    [{ path: "models[0].model", wrong: "lefft", name: "left" }],
  );
  assertEquals(suggestionsOf(problem({})), []);
});
