/**
 * The catalogue of methods as `GET /methods` answers it.
 *
 * @module
 */
import type { Guide, MergeMethod, ParameterSpec } from "./method.ts";

/** JSON Schema of one parameter's plain value. */
export type ParameterSchema = Readonly<Record<string, unknown>>;

/** One method of the catalogue. */
export interface CatalogueEntry extends Partial<Guide> {
  readonly name: string;
  readonly title: string;
  readonly paper: MergeMethod["paper"] | null;
  /** Whether recipes must set `experimental` to name it. */
  readonly experimental: boolean;
  /** What the base is for: needed, worked from if there is one, or one of the models where it is listed. */
  readonly base: MergeMethod["base"];
  readonly needs: {
    readonly base: boolean;
    readonly models: { readonly minimum: number; readonly maximum: number | null };
    /** Kind of the statistics that every model must come with. */
    readonly statistics: MergeMethod["statistics"] | null;
  };
  readonly parameters: Readonly<Record<string, ParameterSchema>>;
}

/** Describes every method; parameters as JSON Schema with `scope`, defaults and ranges. */
export function catalogue(methods: ReadonlyMap<string, MergeMethod>): CatalogueEntry[] {
  return [...methods.values()].map((method) => ({
    name: method.name,
    title: method.title,
    ...method.guide,
    paper: method.paper ?? null,
    experimental: method.experimental ?? false,
    base: method.base,
    needs: {
      base: method.base === "required",
      models: {
        minimum: method.models.minimum,
        maximum: Number.isFinite(method.models.maximum) ? method.models.maximum : null,
      },
      statistics: method.statistics ?? null,
    },
    parameters: Object.fromEntries(
      Object.entries(method.parameters).map(([name, spec]) => [name, parameterSchema(spec)]),
    ),
  }));
}

function parameterSchema(spec: ParameterSpec): ParameterSchema {
  const { scope, type, values, description, optional = false, ...rest } = spec;
  return {
    description,
    scope,
    ...(type === "enum"
      ? { type: "string", enum: values }
      : type === "filters"
      ? { type: "array", items: { type: "string" } }
      : { type: type === "model" ? "string" : type }),
    ...rest,
    ...(type === "filters" ? { default: [] } : {}),
    required: spec.default === undefined && !optional,
  };
}
