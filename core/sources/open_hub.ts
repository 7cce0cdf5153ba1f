/**
 * Opens a file of a repository on a hub.
 *
 * @module
 */
import { openHttpSource } from "../checkpoint/http_source.ts";
import type { ByteSource } from "../checkpoint/byte_source.ts";
import type { SourceSpec } from "../merge/sources.ts";
import { Problem } from "../problem.ts";
import {
  CHECKPOINT_FILES,
  explainHub,
  fileAddress,
  type HubPort,
  type HubRepository,
  type HubSource,
  isCommit,
  repositoryAddress,
  repositoryOf,
} from "./hub.ts";

/** What a hub is read with. */
export interface HubReading {
  readonly hub: HubPort;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Sent to the hub's own address besides the operator's, whose place they take. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** A file of a repository. */
export interface HubFile {
  readonly bytes: ByteSource;
  /** Its address at the commit that was found, for the files beside it. */
  readonly spec: Extract<SourceSpec, { type: "url" }>;
  /** `org/name@commit` where the hub tells the commit, else with the revision. */
  readonly id: string;
}

/** What a hub tells of a repository is waited for so long and read up to so many bytes. */
const PATIENCE_MS = 10_000;
const DESCRIPTION_LIMIT = 8 << 20;

/**
 * Opens the file, or the first of {@linkcode CHECKPOINT_FILES} that is there. A branch is resolved to its
 * commit first, where the hub says which, so that all files come from one state of the repository.
 *
 * @throws {Problem} `upstream`, which says what to do if the repository is private, gated or lacks the file;
 * `forbidden-source` if the hub is not among the allowed hosts.
 */
export async function openHub(
  name: string,
  source: HubSource,
  reading: HubReading,
): Promise<HubFile> {
  const { hub, fetch, signal } = reading;
  const headers = Object.fromEntries(
    new Headers({ ...lower(hub.headers), ...lower(reading.headers) }),
  );
  const asked = source.revision ?? "main";
  let repository = isCommit(asked) ? undefined : await describe(source, asked, headers, reading);
  const revision = repository?.commit ?? asked;
  const files = source.file === undefined ? CHECKPOINT_FILES : [source.file];
  let refusal: Problem | undefined;
  for (const file of files) {
    const url = fileAddress(hub, source.hub, revision, file);
    try {
      const bytes = await openHttpSource(url, { fetch, headers, signal });
      return { bytes, spec: { type: "url", url, headers }, id: `${source.hub}@${revision}` };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      refusal = error;
      if (error.members.upstream_status !== 404) break;
    }
  }
  if (refusal!.members.upstream_status === 404) {
    repository ??= await describe(source, asked, headers, reading);
  }
  throw explainHub(refusal!, {
    name,
    source,
    authorized: Object.hasOwn(headers, "authorization"),
    repository,
  });
}

/** Header names differ in case only by mistake. */
function lower(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value]),
  );
}

/** What the hub tells of a repository; undefined if it does not, as mirrors of plain files. */
async function describe(
  { hub: repository }: HubSource,
  revision: string,
  headers: Readonly<Record<string, string>>,
  { hub, fetch, signal }: HubReading,
): Promise<HubRepository | undefined> {
  try {
    const response = await fetch(repositoryAddress(hub, repository, revision), {
      headers: { ...headers, accept: "application/json" },
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    if (!response.ok) {
      await response.body?.cancel();
      return undefined;
    }
    return repositoryOf(JSON.parse(await readText(response)));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Problem && error.kind === "forbidden-source") throw error;
    // Without the commit the revision is read as it is; a hub that is down is told of then.
    return undefined;
  }
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > DESCRIPTION_LIMIT) throw new RangeError("The description is too long");
  }
  return text + decoder.decode();
}
