/**
 * Merges by two recipes and measures the results against each other.
 *
 * @module
 */
import type { Analysis } from "../../../../../../core/analysis/answer.ts";
import type { Send } from "../../../service/service.ts";
import type { NamedSource } from "../../../sources/named_source.ts";
import { askAnalysis } from "../analysis_request.ts";
import type { CallContext } from "../../use_call.ts";

/** A recipe that was read. */
export interface ReadyRecipe {
  readonly value: Readonly<Record<string, unknown>>;
  readonly files: ReadonlyMap<string, Blob>;
}

/** What both results are beside each other. */
export interface MergedBoth {
  /** Both results, as steps from the base where there is one. */
  readonly beside: Analysis;
  /** The second result as a step from the first. */
  readonly between: Analysis;
}

const [A, B] = ["result A", "result B"];

/** Merges twice, then analyzes twice. */
export async function mergeBoth(
  send: Send,
  [a, b]: readonly [ReadyRecipe, ReadyRecipe],
  base: NamedSource | undefined,
  context: CallContext,
): Promise<MergedBoth> {
  const merged = async (name: string, { value, files }: ReadyRecipe): Promise<NamedSource> => {
    const answer = await send({
      method: "POST",
      path: "/merge",
      document: { part: "recipe", value },
      files,
      signal: context.signal,
      onSent: context.onSent,
    });
    const file = new File([await answer.blob()], `${name}.safetensors`);
    return { name, origin: { type: "file", file } };
  };
  const results = [await merged(A!, a), await merged(B!, b)];
  const from = base?.name;
  const beside = await askAnalysis(
    send,
    { base: from, models: [A!, B!], spectrum: false },
    [...results, ...(base ? [base] : [])],
    context,
  );
  const between = await askAnalysis(
    send,
    { base: A, models: [B!], spectrum: false },
    results,
    context,
  );
  return { beside, between };
}
