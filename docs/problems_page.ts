/**
 * The page `problems.md`, made from the table of problems.
 *
 * @module
 */
import { type ProblemInfo, PROBLEMS } from "../core/problem.ts";

/** The page's text. */
export function problemsPage(): string {
  const rows = Object.entries(PROBLEMS).map(([kind, info]) => {
    const { status, also = [], title, when }: ProblemInfo = info;
    const statuses = [status, ...also].join(", ");
    return `| \`${kind}\` | ${statuses} | ${title} | ${when.replaceAll("|", "\\|")} |`;
  });
  return [
    "<!-- Made by `deno task docs` from core/problem.ts. -->",
    "",
    "# Problems",
    "",
    "Every failure is answered as `application/problem+json` (RFC 9457): `type` is `/problems/KIND`, `title`",
    "and `status` are those of the kind, `detail` is a sentence that ends with the current value, `instance`",
    "is the path of the request. Further members depend on the kind; `errors` lists `{ path, message }`.",
    "The service answers this table at `GET /problems`.",
    "",
    "| kind | status | title | when |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}
