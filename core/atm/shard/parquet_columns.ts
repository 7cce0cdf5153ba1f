/**
 * Which columns of a Parquet file are arrays of numbers or text, told from its schema.
 *
 * @module
 */
import { parquetSchema } from "hyparquet";
import type { FileMetaData, SchemaElement, SchemaTree } from "hyparquet";
import type { ElementType } from "../../onnx/model.ts";

/** How the values of a column are stored. */
export interface ParquetColumn {
  readonly name: string;
  readonly type: ElementType;
  /** Path of the values in the schema. */
  readonly path: readonly string[];
  readonly element: SchemaElement;
  /** How many lists stand inside each other; 0 for plain values. */
  readonly lists: number;
  /** The definition level of a value that is there. */
  readonly definition: number;
}

/** A column that is no array of numbers or text. */
export interface RefusedColumn {
  readonly name: string;
  /** What must hold instead and what it is. */
  readonly refused: string;
}

/**
 * The columns of a file in the order of its schema.
 *
 * @throws {Error} If the schema is malformed.
 */
export function parquetColumns(metadata: FileMetaData): (ParquetColumn | RefusedColumn)[] {
  return parquetSchema(metadata).children.map(describe);
}

function describe(root: SchemaTree): ParquetColumn | RefusedColumn {
  const { name } = root.element;
  let node = root;
  let lists = 0;
  let definition = 0;
  while (true) {
    const { repetition_type } = node.element;
    if (repetition_type === "REPEATED") lists++;
    if (repetition_type !== "REQUIRED") definition++;
    const [child] = node.children;
    if (child === undefined) break;
    if (node.children.length > 1) {
      return {
        name,
        refused: "hold numbers or lists of numbers: current type is a group of fields",
      };
    }
    node = child;
  }
  const type = typeOf(node.element);
  if (type === undefined) {
    const told = node.element.logical_type?.type ?? node.element.converted_type ??
      node.element.type ?? "none";
    return { name, refused: `hold numbers, lists of numbers or text: current type is ${told}` };
  }
  return { name, type, path: node.path, element: node.element, lists, definition };
}

function typeOf(element: SchemaElement): ElementType | undefined {
  const { type, type_length, converted_type: converted, logical_type: logical } = element;
  const kind = logical?.type ?? converted;
  switch (type) {
    case "BOOLEAN":
      return "bool";
    case "FLOAT":
      return "float32";
    case "DOUBLE":
      return "float64";
    case "FIXED_LEN_BYTE_ARRAY":
      return logical?.type === "FLOAT16" && type_length === 2 ? "float16" : undefined;
    case "BYTE_ARRAY":
      return kind === "STRING" || kind === "UTF8" || kind === "ENUM" ? "string" : undefined;
    case "INT32":
    case "INT64": {
      const bits = type === "INT32" ? 32 : 64;
      if (logical?.type === "INTEGER") return integerType(logical.bitWidth, logical.isSigned, bits);
      const [, unsigned, told] = /^(U?)INT_(8|16|32|64)$/.exec(kind ?? "") ?? [];
      if (told !== undefined) return integerType(Number(told), unsigned === "", bits);
      return kind === undefined ? integerType(bits, true, bits) : undefined;
    }
    default:
      return undefined;
  }
}

function integerType(width: number, signed: boolean, stored: number): ElementType | undefined {
  if (width > stored) return undefined;
  switch (width) {
    case 8:
      return signed ? "int8" : "uint8";
    case 16:
      return signed ? "int16" : "uint16";
    case 32:
      return signed ? "int32" : "uint32";
    case 64:
      return signed ? "int64" : "uint64";
    default:
      return undefined;
  }
}
