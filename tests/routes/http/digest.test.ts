import { assertEquals, assertStringIncludes } from "@std/assert";
import { announcedDigest, digestField } from "../../../routes/http/digest.ts";
import { caughtProblem } from "../../support/caught_problem.ts";
import { digestId } from "../../support/stored_checkpoint.ts";

const ID = await digestId(new TextEncoder().encode('{"hello": "world"}\n'));
// The example of RFC 9530, appendix B.1.
const FIELD = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";

const announced = (headers: Record<string, string>) =>
  announcedDigest(new Headers(headers))?.toHex();

Deno.test("the field of an id is the one of RFC 9530's example", () => {
  assertEquals(digestField(ID), FIELD);
});

Deno.test("a digest is read from either field, among others", () => {
  const hex = ID.slice("sha256:".length);
  assertEquals(announced({ "repr-digest": FIELD }), hex);
  assertEquals(announced({ "content-digest": FIELD }), hex);
  assertEquals(announced({ "repr-digest": FIELD, "content-digest": FIELD }), hex);
  assertEquals(announced({ "repr-digest": `sha-512=:AAAA:, ${FIELD}` }), hex);
  assertEquals(announced({ "repr-digest": `${FIELD},md5=:AAAA:` }), hex);
  assertEquals(announced({}), undefined);
  assertEquals(announced({ "repr-digest": "sha-512=:AAAA:" }), undefined);
});

Deno.test("a malformed digest or two that differ are refused", async () => {
  const wrong = [
    "sha-256=:AAAA:",
    "sha-256=RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=",
    "sha-256=::",
    `sha-256=:${"!".repeat(44)}:`,
    "sha-256",
  ];
  for (const field of wrong) {
    const problem = await caughtProblem(() => announced({ "content-digest": field }));
    assertEquals(problem.kind, "invalid-request", field);
    assertStringIncludes(problem.message, field);
  }
  const other = digestField(`sha256:${"0".repeat(64)}`);
  const differ = await caughtProblem(() =>
    announced({ "repr-digest": FIELD, "content-digest": other })
  );
  assertEquals(differ.kind, "invalid-request");
});
