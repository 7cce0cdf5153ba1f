/**
 * What a problem document means to the visitor: what to do next, and its members in words.
 *
 * @module
 */
import type { ProblemKind } from "../../../../core/problem.ts";
import type { ProblemDocument } from "../service/problem.ts";

/** What to do about each kind. */
const ADVICE: Readonly<Record<ProblemKind, string>> = {
  "invalid-recipe": "Correct what is listed and try again.",
  "unknown-method": "Choose a method of the catalogue.",
  "unknown-source": "Choose a file for the name, or take another name.",
  "invalid-checkpoint": "Take the file from where it was made once more; it may be cut short.",
  "mismatch":
    "Choose models of one architecture, or set what is done with tensors that do not fit.",
  "unsupported-operator":
    "Exclude the tensors behind the operator, or export the graph without it.",
  "unsupported-dtype": "Convert the tensor to another type, or leave it out.",
  "unsupported-format": "Convert the file as the text says.",
  "split-overlap": "Take the shared rows out of one of the shards.",
  "non-finite": "Repair the checkpoint, or set what is done with such values.",
  "upstream": "Try again later, or download the file and choose it here.",
  "forbidden-source": "Ask the operator to allow it, or download the file and choose it here.",
  "too-large": "Take less at once, or ask the operator to raise the limit.",
  "too-many": "Wait a moment and try again.",
  "invalid-request": "Try again; if it comes back, the page and the service may differ in version.",
  "unauthorized": "Enter a key that the service accepts.",
  "forbidden": "Enter a key with the scope, or ask the operator for one.",
  "not-found": "It may have been deleted; look at the list again.",
  "method-not-allowed": "Load the page again; the service may be of another version.",
  "not-acceptable": "Load the page again; the service may be of another version.",
  "conflict": "Wait until nothing uses it and try again.",
  "precondition-failed": "It was changed meanwhile; load it again.",
  "unsupported-media-type": "Use a file of a type that is listed.",
  "range-not-satisfiable": "The content may have changed; load it again.",
  "internal": "Try again; if it comes back, tell the operator the id.",
  "insufficient-storage": "Delete what is no longer needed, or ask the operator for room.",
  "unavailable": "Wait a moment and try again.",
};

/** What members are called. */
const LABELS: Readonly<Record<string, string>> = {
  source: "Source",
  tensor: "Tensor",
  byte: "At byte",
  dtype: "Type",
  shape: "Shape",
  shapes: "Shapes",
  shard: "Shard",
  shards: "Shards",
  node: "Node",
  operator: "Operator",
  task: "Task",
  count: "How many",
  index: "First at",
  rows: "First rows",
  host: "Host",
  upstream_status: "It answered",
  limit: "Limit",
  value: "Now",
  variable: "Set by",
  scope: "Scope that is needed",
  line: "Line",
  column: "Column",
  job: "Job",
  id: "Id to quote",
  allow: "Allowed",
  accepted: "Accepted",
  participant: "Participant",
  round: "Round",
  file: "File",
  request_id: "Request",
};

/** Members that are told in another way. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  ...["type", "title", "status", "detail", "instance", "errors", "nearest", "retry_after"],
]);
/** Items of a list and characters of a text that are shown. */
const ITEMS = 8;
const LONGEST = 300;

/** The name of a problem's kind; the empty text for one of the page's own. */
export function kindOf({ type }: ProblemDocument): string {
  return type.startsWith("/problems/") ? type.slice("/problems/".length) : "";
}

/** What to do next; undefined where nothing general can be said. */
export function adviceOf(problem: ProblemDocument): string | undefined {
  const kind = kindOf(problem);
  const advice = Object.hasOwn(ADVICE, kind) ? ADVICE[kind as ProblemKind] : undefined;
  const { retry_after } = problem;
  if (typeof retry_after !== "number") return advice;
  return `Try again in ${Math.ceil(retry_after)} s.`;
}

/** The members of a problem's kind as labelled text. */
export function membersOf(problem: ProblemDocument): { label: string; text: string }[] {
  return Object.entries(problem).flatMap(([name, value]) => {
    if (ELSEWHERE.has(name) || value === undefined || value === null) return [];
    const label = LABELS[name] ?? sentence(name);
    return [{ label, text: textOf(value) }];
  });
}

/** A correction that a problem offers. */
export interface Suggestion {
  /** Where the wrong name stands. */
  readonly path: string;
  /** The wrong name, where it is known. */
  readonly wrong?: string;
  readonly name: string;
}

/** The corrections: of `nearest`, and of each fault that says `did you mean`. */
export function suggestionsOf(problem: ProblemDocument): Suggestion[] {
  const { nearest, errors = [] } = problem;
  const found: Suggestion[] = [];
  const add = (suggestion: Suggestion) => {
    const isKnown = found.some(({ path, name }) =>
      path === suggestion.path && name === suggestion.name
    );
    if (!isKnown) found.push(suggestion);
  };
  for (const { path, message } of errors) {
    const name = /did you mean "((?:[^"\\]|\\.)*)"/.exec(message)?.[1];
    const wrong = /current value is "((?:[^"\\]|\\.)*)"$/.exec(message)?.[1];
    if (name !== undefined) add({ path, name, ...(wrong === undefined ? {} : { wrong }) });
  }
  if (Array.isArray(nearest)) {
    const path = errors[0]?.path ?? "";
    for (const name of nearest) if (typeof name === "string") add({ path, name });
  } else if (typeof nearest === "object" && nearest !== null) {
    for (const [wrong, name] of Object.entries(nearest)) {
      const at = errors.find(({ message }) => message.endsWith(JSON.stringify(wrong)));
      if (typeof name === "string") add({ path: at?.path ?? "", wrong, name });
    }
  }
  return found;
}

function sentence(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) {
    const shown = value.slice(0, ITEMS).map(textOf).join(", ");
    return value.length > ITEMS ? `${shown} and ${value.length - ITEMS} more` : shown;
  }
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
