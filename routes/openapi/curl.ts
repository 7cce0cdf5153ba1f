/**
 * Examples as commands for a shell.
 *
 * @module
 */
import { openApiPath } from "./document.ts";
import type { DocumentBody, Operation } from "../table/operation.ts";
import type { Example } from "../table/examples.ts";

/** The command that sends an example, on lines of their own. */
export function curlOf(operation: Operation, example: Example): string {
  const { method, path, body, scopes } = operation;
  const { document, uploads, file, headers = {}, query, path: values = {} } = example;
  const address = openApiPath(path)
    .replaceAll(/\{(\w+)\}/g, (given, name: string) => values[name] ?? given);
  const search = query === undefined ? "" : `?${new URLSearchParams(query)}`;
  const parts = [
    `curl ${method === "GET" ? "" : `-X ${method} `}${quoted(`$AMALGAM${address}${search}`)}`,
  ];
  if (scopes.length > 0) parts.push(`-H "Authorization: Bearer $KEY"`);
  for (const [name, value] of Object.entries(headers)) parts.push(`-H '${name}: ${value}'`);
  if (file !== undefined) parts.push(`--data-binary @${file}`);
  if (document !== undefined && body?.kind === "document") {
    parts.push(...documentParts(body, document, uploads));
  }
  return parts.join(" \\\n  ");
}

function documentParts(
  { part }: DocumentBody,
  document: unknown,
  uploads: Example["uploads"],
): string[] {
  const text = JSON.stringify(document, null, 2);
  if (uploads === undefined) return [`-H 'Content-Type: application/json'`, `-d '${text}'`];
  const files = Object.entries(uploads).map(([name, file]) => `-F ${name}=@${file}`);
  return [`-F '${part}=${text};type=application/json'`, ...files];
}

/** In double quotes, so that the shell puts in its variables. */
function quoted(text: string): string {
  return `"${text}"`;
}
