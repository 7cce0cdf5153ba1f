/**
 * The methods that the place of work offers.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";
import { type ProblemDocument, ProblemError } from "../../service/problem.ts";
import { useSession } from "../../session.tsx";
import type { Method } from "./method_catalogue.ts";

/** The catalogue, or why it is not there. */
export interface Catalogue {
  readonly methods: readonly Method[];
  readonly problem?: ProblemDocument;
  /** Asks once more. */
  reload(): void;
}

/** Reads the catalogue; what is there stays until the next one has come. */
export function useCatalogue(): Catalogue {
  const { send, key } = useSession();
  const [methods, setMethods] = useState<readonly Method[]>([]);
  const [problem, setProblem] = useState<ProblemDocument>();
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let isOver = false;
    const load = async () => {
      try {
        const answer = await send({ method: "GET", path: "/methods" });
        const { methods } = await answer.json() as { methods: Method[] };
        if (isOver) return;
        setMethods(methods);
        setProblem(undefined);
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        if (!isOver) setProblem(error.problem);
      }
    };
    load();
    return () => {
      isOver = true;
    };
  }, [send, key, attempt]);
  return {
    methods,
    ...(problem ? { problem } : {}),
    reload: () => setAttempt((before) => before + 1),
  };
}
