/**
 * Addresses of a hub in the Hugging Face layout, and what its refusals mean.
 *
 * @module
 */
import { upstreamCode } from "../checkpoint/http_range.ts";
import { encodePath, isRelativePath } from "../checkpoint/relative_path.ts";
import { nearest } from "../merge/nearest.ts";
import { Problem } from "../problem.ts";

/** The public hub. */
export const PUBLIC_HUB = "https://huggingface.co";

/** Which hub the service reads from. */
export interface HubPort {
  /** Its base address, without a slash at its end. */
  readonly url: string;
  /** Sent to that address only, such as the operator's authorization. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A file of a repository, or its checkpoint if no file is named. */
export interface HubSource {
  /** `org/name`. */
  readonly hub: string;
  /** A branch, tag or commit; default `main`. */
  readonly revision?: string;
  readonly file?: string;
}

/** What a hub tells of a repository. */
export interface HubRepository {
  readonly commit: string;
  readonly files: readonly string[];
}

/** What is tried where no file is named, in order. */
export const CHECKPOINT_FILES: readonly string[] = [
  "model.safetensors",
  "model.safetensors.index.json",
  "adapter_model.safetensors",
];

const REPOSITORY = /^[A-Za-z0-9][\w.-]{0,95}(?:\/[A-Za-z0-9][\w.-]{0,95})?$/;
const COMMIT = /^[0-9a-f]{40}$/;
/** Files that a message lists. */
const LISTED = 8;

/** Whether a text names a repository: `org/name`, or `name` for the oldest. */
export function isRepository(text: string): boolean {
  return REPOSITORY.test(text) && !text.includes("..");
}

/** Whether a revision stands for one state of the repository forever. */
export function isCommit(revision: string): boolean {
  return COMMIT.test(revision);
}

/** Whether a text can be a branch, tag or commit. */
export function isRevision(text: string): boolean {
  return isRelativePath(text);
}

/** Where a file of a repository is read. */
export function fileAddress(
  { url }: HubPort,
  repository: string,
  revision: string,
  file: string,
): string {
  return `${url}/${repository}/resolve/${encodeURIComponent(revision)}/${encodePath(file)}`;
}

/** Where the hub tells of a repository. */
export function repositoryAddress({ url }: HubPort, repository: string, revision: string): string {
  return `${url}/api/models/${repository}/revision/${encodeURIComponent(revision)}`;
}

/** Reads what a hub told; undefined if it is something else. */
export function repositoryOf(answer: unknown): HubRepository | undefined {
  if (typeof answer !== "object" || answer === null) return undefined;
  const { sha, siblings } = answer as { readonly sha?: unknown; readonly siblings?: unknown };
  if (typeof sha !== "string" || !isCommit(sha)) return undefined;
  const files = (Array.isArray(siblings) ? siblings : []).flatMap((entry: unknown) => {
    const file = (entry as { readonly rfilename?: unknown } | null)?.rfilename;
    return typeof file === "string" ? [file] : [];
  });
  return { commit: sha, files };
}

/** What is known when a hub refuses. */
export interface HubRefusal {
  /** Name of the source in the document. */
  readonly name: string;
  readonly source: HubSource;
  /** Whether a token was sent. */
  readonly authorized: boolean;
  readonly repository: HubRepository | undefined;
}

/** The problem in terms of the hub; other problems are answered as they are. */
export function explainHub(problem: Problem, refusal: HubRefusal): Problem {
  const status = problem.members.upstream_status;
  if (problem.kind !== "upstream" || typeof status !== "number") return problem;
  const reason = reasonOf(status, upstreamCode(problem), refusal);
  if (reason === undefined) return problem;
  const { name, source: { hub } } = refusal;
  return new Problem(
    "upstream",
    `Cannot read source "${name}" from the hub as ${reason}: current status of ${hub} is ${status}`,
    { source: name, hub, ...problem.members },
    problem,
  );
}

function reasonOf(
  status: number,
  code: string | undefined,
  { source, authorized, repository }: HubRefusal,
): string | undefined {
  const { hub, revision = "main" } = source;
  const token = 'headers: { authorization: "Bearer ..." }';
  if (code === "GatedRepo" || status === 403) {
    return authorized
      ? `the repository is gated and the token's owner has not been granted access: ask for it on the ` +
        `repository's page`
      : `the repository is gated: accept its terms on its page and send a token under ${token}`;
  }
  if (status === 401) {
    return authorized
      ? "the token was not accepted, or the repository does not exist"
      : `the repository is private or does not exist: check its name, or send a token under ${token}`;
  }
  if (status !== 404) return undefined;
  if (code === "RepoNotFound") return `there is no repository ${hub}, or the token may not see it`;
  if (code === "RevisionNotFound") return `the repository has no revision "${revision}"`;
  const what = source.file === undefined
    ? `the repository has neither ${CHECKPOINT_FILES.join(" nor ")} at "${revision}"`
    : `the repository has no file "${source.file}" at "${revision}"`;
  const files = repository?.files ?? [];
  const near = source.file === undefined ? undefined : nearest(source.file, files);
  if (near !== undefined) return `${what}, did you mean "${near}"`;
  const weights = files.filter((file) => /\.(?:safetensors|onnx|json)$/.test(file));
  const offered = (weights.length > 0 ? weights : files).slice(0, LISTED);
  return offered.length === 0 ? what : `${what}; it has ${offered.join(", ")}`;
}
