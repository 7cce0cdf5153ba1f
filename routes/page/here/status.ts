/**
 * What runs in this browser, and how much room there is.
 *
 * @module
 */
import type { EngineChoice, EngineName } from "../../../core/engine/engine_name.ts";

/** The answer of `GET /here`, which the service does not have. */
export interface HereStatus {
  /** What was asked for. */
  readonly asked: EngineName;
  /** What the next merge runs on, and why if it is something else. */
  readonly engine: EngineChoice;
  /** How many threads work at once. */
  readonly workers: number;
  /** Whether what is kept outlives the page. */
  readonly lasting: boolean;
  /** Whether the browser promised not to remove what is kept when it needs the room. */
  readonly persisted: boolean;
  /** Bytes that this origin uses, and may use at most; absent where the browser tells none. */
  readonly usage?: number;
  readonly quota?: number;
}

/** The browser's own account of the room; nothing where it gives none. */
export async function roomHere(): Promise<Pick<HereStatus, "persisted" | "usage" | "quota">> {
  const { storage } = navigator;
  const { usage, quota } = await storage?.estimate?.().catch(() => undefined) ?? {};
  return {
    persisted: await storage?.persisted?.().catch(() => false) ?? false,
    ...(usage === undefined ? {} : { usage }),
    ...(quota === undefined ? {} : { quota }),
  };
}
