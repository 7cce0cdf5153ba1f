/**
 * The weights that a run starts from: a source, a recipe that is merged first, or the graph's own.
 *
 * @module
 */
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { makePlan } from "../../merge/plan.ts";
import { resolveSources, usedNames } from "../../merge/recipe.ts";
import { METHODS } from "../../methods/mod.ts";
import { openSources } from "../../sources/open_sources.ts";
import { mergeStream } from "../../stream/merge_stream.ts";
import { VERSION } from "../../version.ts";
import { openWeights, type TaskSources } from "../open_task.ts";
import type { TuningPorts } from "../tuning_ports.ts";
import type { AtmDocument } from "./atm_document.ts";
import { startRecipe } from "./atm_names.ts";
import { writeScratch } from "./scratch.ts";

/**
 * Opens θ^(0), or answers undefined for the graph's own weights. A recipe's sources are those of the document and
 * its own; it is merged as `POST /merge` would.
 *
 * @throws {Problem} Whatever is wrong with source or recipe.
 */
export async function openStart(
  { start, sources: entries }: AtmDocument,
  sources: TaskSources,
  ports: TuningPorts,
): Promise<Checkpoint | undefined> {
  if (start === undefined) return undefined;
  if (typeof start === "string") return await openWeights(sources, start);
  const { uploads, signal, closers } = sources;
  const recipe = startRecipe(start.recipe, entries);
  // Uploads of the request that the recipe does not use belong to the tasks.
  const used = usedNames(recipe);
  const specs = resolveSources(recipe, {
    uploads: [...uploads.keys()].filter((name) => used.has(name)),
  });
  const opened = await openSources(specs, uploads, ports.sources, signal);
  for (const { checkpoint } of opened.values()) closers.push(() => checkpoint.close());
  const plan = makePlan({
    recipe,
    methods: METHODS,
    checkpoints: new Map([...opened].map(([name, { checkpoint }]) => [name, checkpoint])),
    inputs: new Map([...opened].map(([name, { provenance }]) => [name, provenance])),
    version: VERSION,
  });
  const merged = await writeScratch(
    ports.blobs,
    mergeStream(plan, { executor: ports.executor, chunkElements: ports.chunkElements, signal }),
    signal,
  );
  closers.push(() => void merged.release());
  return merged.checkpoint;
}
