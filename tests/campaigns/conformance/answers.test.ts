import { assertEquals } from "@std/assert";
import { answerFaults, operationSchemas } from "../../support/openapi.ts";

const document = {
  paths: {},
  components: {
    schemas: {
      Named: {
        type: "object",
        properties: { name: { type: "string" } },
        required: ["name"],
        additionalProperties: false,
      },
    },
  },
};
const named = { $ref: "#/components/schemas/Named" };
const operation = {
  operationId: "x",
  parameters: [],
  responses: {
    200: {
      content: {
        "application/json": { schema: named },
        "application/x-ndjson": { "x-event-schema": named },
        "text/event-stream": { "x-event-schema": named },
      },
    },
    204: {},
  },
};

/** How many faults an answer has. */
async function count(body: string | null, status: number, type = "application/json") {
  const { check } = operationSchemas(document);
  const response = new Response(body, { status, headers: { "content-type": type } });
  return (await answerFaults(operation, response, check)).length;
}

Deno.test("answers that are not as documented are found out", async () => {
  assertEquals(await count('{"name":"a"}', 200), 0);
  assertEquals(await count(null, 204), 0);
  assertEquals(await count('{"name":"a"}\n{"name":"b"}\n', 200, "application/x-ndjson"), 0);
  assertEquals(await count(': x\n\ndata: {"name":"a"}\n\n', 200, "text/event-stream"), 0);
  assertEquals(await count('{"name":1}', 200), 1);
  assertEquals(await count('{"name":"a","more":1}', 200), 1);
  assertEquals(await count('{"name":"a"}', 201), 1);
  assertEquals(await count("x", 200, "text/plain"), 1);
  assertEquals(await count('{"name":"a"}\n{}\n', 200, "application/x-ndjson"), 1);
  assertEquals(await count("", 200, "application/x-ndjson"), 1);
});
