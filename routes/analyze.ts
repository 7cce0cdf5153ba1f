/**
 * `POST /analyze`: what models do to each other, as numbers, a table, or pictures. What measures and draws is loaded
 * with the first request, so that a process starts without it.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { engineProducts } from "../core/algebra/products.ts";
import { slices } from "../core/algebra/steps.ts";
import type { Analysis } from "../core/analysis/answer.ts";
import { analysisCsv } from "../core/analysis/csv.ts";
import { type AnalysisInput, readAnalysis } from "../core/analysis/document.ts";
import { workspaceEngine } from "../core/analysis/workspace_engine.ts";
import { PICTURE_NAMES, type PictureName } from "../core/analysis/picture/names.ts";
import { ENDED } from "../core/ended.ts";
import type { OpenWorkspace } from "../core/engine/workspace.ts";
import { modelNames } from "../core/merge/recipe.ts";
import { analysis } from "../core/methods/analysis.ts";
import { Problem } from "../core/problem.ts";
import { preferredType } from "./http/negotiate.ts";
import {
  type DocumentReader,
  type PreparedMerge,
  prepareMerge,
  type RecipePorts,
} from "./http/recipe_request.ts";
import { type DocumentInput, takes, told } from "./http/typed.ts";

const TYPES = ["application/json", "image/svg+xml", "text/csv"] as const;

/** What the resource stands on. */
export interface AnalyzePorts extends RecipePorts {
  readonly openWorkspace: OpenWorkspace;
}

/** What callers give. */
interface AnalyzeInput extends DocumentInput<AnalysisInput> {
  readonly query?: { readonly picture?: PictureName };
}

/** The resource's routes. */
export function analyzeRoutes(ports: AnalyzePorts) {
  return new Hono().post(
    "/analyze",
    takes<AnalyzeInput>(),
    (context) => told<Analysis>(run(context)),
  );

  async function run(context: Context): Promise<Response> {
    // Before anything is uploaded for an answer that nobody would take.
    const type = acceptedType(context.req.header("accept"));
    const wanted = context.req.query("picture");
    const picture = PICTURE_NAMES.find((name) => name === wanted) ?? "overview";
    let maximum = 0;
    const reader: DocumentReader = {
      part: "recipe",
      methods: new Map([[analysis.name, analysis]]),
      read(document) {
        const { recipe, spectrum } = readAnalysis(document);
        maximum = spectrum;
        return recipe;
      },
    };
    const prepared = await prepareMerge(ports, context.req.raw, reader);
    const { controller, plan } = prepared;
    const { signal } = controller;
    const workspace = maximum > 0 ? ports.openWorkspace() : undefined;
    try {
      const { analyze } = await import("../core/analysis/analyze.ts");
      const found = await analyze(plan, namesOf(prepared), {
        executor: ports.executor,
        chunkElements: ports.chunkElements,
        signal,
        ...(workspace
          ? {
            spectrum: {
              products: engineProducts(workspaceEngine(workspace), slices(signal)),
              maximum,
            },
          }
          : {}),
      });
      return await answer(found, type, picture);
    } finally {
      controller.abort(ENDED);
      await workspace?.close();
      await prepared.release();
    }
  }
}

function namesOf({ recipe }: PreparedMerge): { base?: string; models: string[] } {
  const base = recipe.base_model;
  const models = [...modelNames(recipe).keys()].filter((name) => name !== base);
  return base === undefined ? { models } : { base, models };
}

async function answer(
  found: Analysis,
  type: typeof TYPES[number],
  picture: PictureName,
): Promise<Response> {
  const bodies = {
    "application/json": () => JSON.stringify(found),
    "image/svg+xml": async () =>
      (await import("../core/analysis/picture/picture.ts")).drawPicture(found, picture),
    "text/csv": () => analysisCsv(found),
  };
  return new Response(await bodies[type](), {
    headers: {
      "content-type": type === "application/json" ? type : `${type}; charset=utf-8`,
      "cache-control": "no-store",
      "vary": "accept",
      ...(type === "image/svg+xml"
        // Opened by itself the picture may show its own style and nothing else.
        ? { "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox" }
        : {}),
    },
  });
}

function acceptedType(accept: string | undefined): typeof TYPES[number] {
  const type = preferredType(accept, TYPES);
  if (type !== undefined) return type;
  throw new Problem(
    "not-acceptable",
    `Cannot answer as Accept must allow one of ${TYPES.join(", ")}: current value is ${accept}`,
    { offers: TYPES },
  );
}
