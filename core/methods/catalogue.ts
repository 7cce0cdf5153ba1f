/**
 * The catalogue of methods as `GET /methods` answers it.
 *
 * @module
 */
import type { MergeMethod, ParameterSpec } from "./method.ts";

/** JSON Schema of one parameter's plain value. */
export type ParameterSchema = Readonly<Record<string, unknown>>;

/** One method of the catalogue. */
export interface CatalogueEntry {
  readonly name: string;
  readonly title: string;
  readonly paper: MergeMethod["paper"] | null;
  readonly needs: {
    readonly base: boolean;
    readonly models: { readonly minimum: number; readonly maximum: number | null };
  };
  readonly parameters: Readonly<Record<string, ParameterSchema>>;
}

/** Describes every method; parameters as JSON Schema with `scope`, defaults and ranges. */
export function catalogue(methods: ReadonlyMap<string, MergeMethod>): CatalogueEntry[] {
  return [...methods.values()].map((method) => ({
    name: method.name,
    title: method.title,
    paper: method.paper ?? null,
    needs: {
      base: method.base === "required",
      models: {
        minimum: method.models.minimum,
        maximum: Number.isFinite(method.models.maximum) ? method.models.maximum : null,
      },
    },
    parameters: Object.fromEntries(
      Object.entries(method.parameters).map(([name, spec]) => [name, parameterSchema(spec)]),
    ),
  }));
}

function parameterSchema(spec: ParameterSpec): ParameterSchema {
  const { scope, type, values, description, ...rest } = spec;
  return {
    description,
    scope,
    ...(type === "enum" ? { type: "string", enum: values } : { type }),
    ...rest,
    required: spec.default === undefined,
  };
}
