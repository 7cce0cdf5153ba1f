/**
 * The list of what a place keeps, and what is done with it, one thing at a time.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";
import { type ProblemDocument, ProblemError } from "../../service/problem.ts";
import type { Place } from "../../service/service.ts";
import { useSession } from "../../session.tsx";
import { type KeptCheckpoint, listKept } from "./kept_checkpoint.ts";

/** What a list shows, and what can be done. */
export interface KeptList {
  /** Undefined until it was read. */
  readonly kept: readonly KeptCheckpoint[] | undefined;
  readonly hasMore: boolean;
  /** Why the last thing failed. */
  readonly problem: ProblemDocument | undefined;
  /** What is being done, in words. */
  readonly busy: string | undefined;
  /** Reads the list anew. */
  load(): Promise<void>;
  /** Reads the next ones too. */
  more(): Promise<void>;
  /** Does something and reads the list anew; tells what fails, and answers whether nothing did. */
  act(label: string, run: () => Promise<unknown>): Promise<boolean>;
}

/** The list of a place; `changes` counts what was done elsewhere and may have changed it. */
export function useKept(place: Place, changes: number): KeptList {
  const { sends, key } = useSession();
  const send = sends[place];
  const [kept, setKept] = useState<readonly KeptCheckpoint[]>();
  const [next, setNext] = useState<string | null>(null);
  const [problem, setProblem] = useState<ProblemDocument>();
  const [busy, setBusy] = useState<string>();

  async function telling(run: () => Promise<void>): Promise<boolean> {
    try {
      await run();
      return true;
    } catch (error) {
      if (error instanceof ProblemError) setProblem(error.problem);
      else if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
      return false;
    }
  }
  async function read(): Promise<void> {
    const page = await listKept(send);
    setKept(page.checkpoints);
    setNext(page.next);
  }
  useEffect(() => void telling(read), [place, key, changes]);

  return {
    kept,
    hasMore: next !== null,
    problem,
    busy,
    async load() {
      setProblem(undefined);
      await telling(read);
    },
    async more() {
      await telling(async () => {
        if (next === null) return;
        const page = await listKept(send, next);
        setKept((before) => [...before ?? [], ...page.checkpoints]);
        setNext(page.next);
      });
    },
    act(label, run) {
      setProblem(undefined);
      setBusy(label);
      return telling(async () => {
        try {
          await run();
          await read();
        } finally {
          setBusy(undefined);
        }
      });
    },
  };
}
