/**
 * What a place keeps, as its resource `/checkpoints` tells it.
 *
 * @module
 */
import type { Place, Send } from "../../service/service.ts";

/** A kept checkpoint. */
export interface KeptCheckpoint {
  readonly id: string;
  readonly bytes: number;
  readonly kind: string;
  readonly tensors: number;
  readonly parameters: number;
  /** When it was first kept, ISO 8601. */
  readonly created: string;
}

/** Some of what is kept, by ascending id. */
export interface KeptPage {
  readonly checkpoints: readonly KeptCheckpoint[];
  /** What to ask for the next ones with; null if there are none. */
  readonly next: string | null;
}

/** The two places, in words. */
export const PLACE_NAMES: Readonly<Record<Place, string>> = {
  service: "the service",
  browser: "this browser",
};

/** The place that is not this one. */
export function otherPlace(place: Place): Place {
  return place === "service" ? "browser" : "service";
}

/** As many digits of an id as people compare. */
export function shortId(id: string): string {
  return id.slice("sha256:".length, "sha256:".length + 12);
}

/** Where a checkpoint is. */
export function pathOf(id: string): string {
  return `/checkpoints/${encodeURIComponent(id)}`;
}

/** The first checkpoints, or those after an id. */
export async function listKept(send: Send, after?: string): Promise<KeptPage> {
  const query = after === undefined ? "" : `&after=${encodeURIComponent(after)}`;
  const answer = await send({ method: "GET", path: `/checkpoints?limit=50${query}` });
  return await answer.json() as KeptPage;
}
