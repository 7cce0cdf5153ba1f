/**
 * The document of `POST /analyze` from what was chosen.
 *
 * @module
 */
import type { Analysis } from "../../../../../core/analysis/answer.ts";
import type { Send } from "../../service/service.ts";
import { filesOf, type NamedSource, specsOf } from "../../sources/named_source.ts";
import type { CallContext } from "../use_call.ts";

/** What is to be analyzed. */
export interface AnalysisChoice {
  /** Name of the base; none for the weights themselves. */
  readonly base: string | undefined;
  readonly models: readonly string[];
  readonly spectrum: boolean;
}

/** The choice as a document. */
export function analysisDocument(
  { base, models, spectrum }: AnalysisChoice,
  sources: readonly NamedSource[],
): Record<string, unknown> {
  return {
    ...(base === undefined ? {} : { base_model: base }),
    models: models.map((model) => ({ model })),
    ...(spectrum ? { spectrum: true } : {}),
    sources: specsOf(sources),
  };
}

/** Asks for an analysis of sources. */
export async function askAnalysis(
  send: Send,
  choice: AnalysisChoice,
  sources: readonly NamedSource[],
  { signal, onSent }: CallContext,
): Promise<Analysis> {
  const used = sources.filter(({ name }) => name === choice.base || choice.models.includes(name));
  const answer = await send({
    method: "POST",
    path: "/analyze",
    headers: { accept: "application/json" },
    document: { part: "recipe", value: analysisDocument(choice, used) },
    files: filesOf(used),
    signal,
    onSent,
  });
  return await answer.json();
}
