import { assert, assertEquals } from "@std/assert";
import { conformanceCampaign } from "../campaigns/conformance/conformance_campaign.ts";
import { SCOPES } from "../../core/access.ts";
import { openApiPath } from "../../routes/openapi/document.ts";
import { OPERATIONS } from "../../routes/table/mod.ts";
import { answerFaults, operationSchemas, type TestDocument } from "../support/openapi.ts";
import { testApp } from "../support/service.ts";

Deno.test("generated requests are answered as /openapi.json says, each of them", async () => {
  const { requests, statuses, findings } = await conformanceCampaign({ runs: 10, seed: 3 });
  assertEquals(findings, []);
  assert(requests >= 150);
  // Both what is done and what is refused was seen of every operation that reads a body.
  for (const { id, body } of OPERATIONS) {
    if (body === undefined) continue;
    const seen = Object.keys(statuses[id]!).map(Number);
    assert(seen.some((status) => status < 400) && seen.some((status) => status >= 400), id);
  }
});

Deno.test("every operation asks for a key of its scopes, and says so as documented", async () => {
  const digest = async (key: string) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key))).toHex();
  const keys = await Promise.all(SCOPES.map(async (scope) => `${await digest(scope)}:${scope}`));
  const { app, close } = testApp({ keys });
  try {
    const document: TestDocument = await (await app.request("/openapi.json")).json();
    const { check } = operationSchemas(document);
    for (const { id, method, path, scopes } of OPERATIONS) {
      const operation = document.paths[openApiPath(path)]![method.toLowerCase()]!;
      for (const key of [undefined, "other", ...SCOPES]) {
        const response = await app.request(path.replaceAll(/:\w+/g, "x"), {
          method,
          headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
        });
        const { status } = response;
        assertEquals(await answerFaults(operation, response, check), [], `${id} with ${key}`);
        const scope = SCOPES.find((each) => each === key);
        const open = scopes.length === 0 || scope === "admin" || scope && scopes.includes(scope);
        const expected = open ? undefined : scope === undefined ? 401 : 403;
        if (expected !== undefined) assertEquals(status, expected, `${id} with ${key}`);
        else assert(status !== 401 && status !== 403, `${id} with ${key}: ${status}`);
      }
    }
  } finally {
    await close();
  }
});
