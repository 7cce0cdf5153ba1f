/**
 * What an address that the visitor typed stands for.
 *
 * @module
 */
import type { Origin } from "./named_source.ts";

/** A hub's own page of a repository, which people copy from the address bar. */
const HUB_PAGE =
  /^https?:\/\/(?:www\.)?huggingface\.co\/([\w.-]+\/[\w.-]+)(?:\/tree\/([^/?#]+))?\/?$/;
const REPOSITORY = /^([\w][\w.-]*\/[\w][\w.-]*)(?:@([^\s@]+))?$/;

/** A URL, `org/name` or `org/name@revision`, or an id of a kept checkpoint; undefined if it is none. */
export function originOf(address: string): Exclude<Origin, { readonly type: "file" }> | undefined {
  const text = address.trim();
  if (/^sha256:[0-9a-f]{64}$/.test(text)) return { type: "checkpoint", id: text };
  const [, hub, revision] = HUB_PAGE.exec(text) ?? REPOSITORY.exec(text) ?? [];
  if (hub !== undefined) return { type: "hub", hub, ...(revision ? { revision } : {}) };
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return { type: "url", url: text };
  return undefined;
}
