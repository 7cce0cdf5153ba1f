/**
 * What pages of other origins may send and read, from the route table.
 *
 * @module
 */
import { OPERATIONS } from "../table/mod.ts";

/** Fields of any request and answer, and of problems, which stand in no operation. */
const ANY_REQUEST = ["authorization", "content-type", "x-request-id", "traceparent"];
const ANY_ANSWER = ["x-request-id", "retry-after", "www-authenticate"];

/** The methods of all operations. */
export const METHODS = listed(["HEAD", ...OPERATIONS.map(({ method }) => method)]);

/** The header fields that operations read. */
export const REQUEST_FIELDS = listed([
  ...ANY_REQUEST,
  ...OPERATIONS.flatMap(({ parameters = [] }) =>
    parameters.filter((parameter) => parameter.in === "header").map(({ name }) => name)
  ),
]);

/** The header fields that answers tell something by. */
export const ANSWER_FIELDS = listed([
  ...ANY_ANSWER,
  ...OPERATIONS.flatMap(({ answers }) =>
    Object.values(answers).flatMap(({ headers = {} }) => Object.keys(headers))
  ),
]);

function listed(names: readonly string[]): string {
  return [...new Set(names)].sort().join(", ");
}
