/**
 * Whether the parts that the service stands on answer, each by name.
 *
 * @module
 */
import { Problem } from "./problem.ts";

/** Asks one part; rejects if it fails. */
export type ReadinessCheck = () => Promise<unknown>;

/**
 * Asks every part at once.
 *
 * @param checks By the part's name, such as `the store`.
 * @param longest_ms Milliseconds that each has to answer.
 * @throws {Problem} `unavailable`, with the names of the parts that fail or do not answer under `failed`.
 */
export async function checkReadiness(
  checks: Readonly<Record<string, ReadinessCheck>>,
  longest_ms: number,
): Promise<void> {
  const found = await Promise.all(
    Object.entries(checks).map(async ([part, check]) => {
      const reason = await failureOf(check, longest_ms);
      return reason === undefined ? [] : [{ part, reason }];
    }),
  );
  const failed = found.flat();
  if (failed.length === 0) return;
  throw new Problem(
    "unavailable",
    failed.map(({ part, reason }) => `${part} ${reason}`).join(", "),
    { failed: failed.map(({ part }) => part) },
  );
}

/** What is wrong in words, without the inside of a fault of ours. */
async function failureOf(check: ReadinessCheck, longest_ms: number): Promise<string | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((done) =>
    timer = setTimeout(done, longest_ms, `does not answer within ${longest_ms / 1000} s`)
  );
  const asked = Promise.try(check).then(
    () => undefined,
    (error) => error instanceof Problem ? `fails: ${error.message}` : "fails",
  );
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}
