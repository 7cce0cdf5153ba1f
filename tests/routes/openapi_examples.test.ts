import { assertEquals } from "@std/assert";
import { openApiPath } from "../../routes/openapi/document.ts";
import { operationOf } from "../../routes/table/find.ts";
import { EXAMPLES, STORED_EXAMPLES } from "../../routes/table/examples.ts";
import { OPERATIONS } from "../../routes/table/mod.ts";
import {
  exampleRequest,
  learn,
  type Learned,
  readExampleFile,
} from "../support/example_requests.ts";
import { answerFaults, operationSchemas, type TestDocument } from "../support/openapi.ts";
import { testApp } from "../support/service.ts";

Deno.test("every operation has an example, and every example does what it says", async () => {
  const { app, faults, close } = testApp();
  try {
    const document: TestDocument = await (await app.request("/openapi.json")).json();
    const { check } = operationSchemas(document);
    for (const [id, file] of Object.entries(STORED_EXAMPLES)) {
      const body = await readExampleFile(file);
      const stored = await app.request("/checkpoints", { method: "POST", body });
      assertEquals((await stored.json()).id, id);
    }
    const learned: Learned = new Map();
    for (const example of EXAMPLES) {
      const name = `${example.operation} ${example.name}`;
      const request = await exampleRequest(example, learned);
      const { method, url } = request;
      assertEquals(operationOf(method, new URL(url).pathname)?.id, example.operation, name);
      const response = await app.request(request);
      learn(learned, response);
      const path = openApiPath(OPERATIONS.find(({ id }) => id === example.operation)!.path);
      const operation = document.paths[path]![method.toLowerCase()]!;
      assertEquals(await answerFaults(operation, response, check), [], name);
      assertEquals(response.status, example.status, name);
    }
    const shown = new Set(EXAMPLES.map(({ operation }) => operation));
    assertEquals(OPERATIONS.filter(({ id }) => !shown.has(id)), []);
    assertEquals(faults, []);
  } finally {
    await close();
  }
});
