/**
 * A YAML 1.2 reader for documents from strangers: plain data only, aliases and depth bounded.
 *
 * The `yaml` package does the syntax. The nodes are turned into values here because its own conversion
 * lets cycles, binary values and collections as keys through, and its check for repeated keys takes
 * quadratic time.
 *
 * @module
 */
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type ParsedNode,
  Parser,
} from "yaml";
import { DocumentFault, tooDeep, tooManyValues } from "./json_document.ts";

const PLAIN_TAGS = new Set(
  ["map", "seq", "str", "int", "float", "bool", "null"].map((type) => `tag:yaml.org,2002:${type}`),
);

interface Anchored {
  readonly value: unknown;
  readonly size: number;
}

/**
 * Parses YAML text that holds one document of maps with string keys, lists and scalars.
 *
 * @throws {DocumentFault} If the text is not YAML, repeats a key, uses a tag beyond plain data, has an
 * alias without anchor, nests deeper than `maxDepth`, or holds more than `maxValues` once its aliases are expanded.
 */
export function parseYaml(text: string, maxDepth: number, maxValues: number): unknown {
  const document = compose(text, maxDepth);
  const anchors = new Map<string, Anchored>();
  let values = 0;
  return document.contents === null ? null : convert(document.contents, 1);

  function convert(node: ParsedNode | null, depth: number): unknown {
    if (node === null) return null;
    const at = node.range[0];
    if (depth > maxDepth + 1) throw tooDeep(maxDepth, at);
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (target === undefined) {
        throw new DocumentFault(`the alias *${node.source} has no anchor before it`, at);
      }
      count(target.size, at);
      return target.value;
    }
    if (node.tag !== undefined && !PLAIN_TAGS.has(node.tag)) {
      throw new DocumentFault(`the tag ${node.tag} is not plain data`, at);
    }
    const before = values;
    count(1, at);
    const value = content(node, depth);
    if (node.anchor !== undefined) anchors.set(node.anchor, { value, size: values - before });
    return value;
  }

  function content(node: ParsedNode, depth: number): unknown {
    if (isSeq(node)) return node.items.map((item) => convert(item as ParsedNode, depth + 1));
    if (isMap(node)) {
      const entries = new Map<string, unknown>();
      for (const pair of node.items) {
        const name = keyOf(pair.key as ParsedNode, node.range[0]);
        if (entries.has(name)) {
          const offset = (pair.key as ParsedNode).range[0];
          throw new DocumentFault(
            `the key ${JSON.stringify(name)} stands twice in one map`,
            offset,
          );
        }
        entries.set(name, convert(pair.value as ParsedNode | null, depth + 1));
      }
      return Object.fromEntries(entries);
    }
    return isScalar(node) ? node.value : null;
  }

  function count(size: number, at: number): void {
    values += size;
    if (values > maxValues) throw tooManyValues(maxValues, at);
  }
}

function keyOf(node: ParsedNode | null, at: number): string {
  if (isScalar(node) && (typeof node.value === "string" || typeof node.value === "number")) {
    return String(node.value);
  }
  throw new DocumentFault("every key of a map must be a string", node?.range[0] ?? at);
}

/** Runs the parser token by token, so that depth is bounded before anything recursive runs. */
function compose(text: string, maxDepth: number): Document.Parsed {
  const parser = new Parser();
  const composer = new Composer({
    schema: "core",
    uniqueKeys: false,
    resolveKnownTags: false,
    logLevel: "silent",
    prettyErrors: false,
  });
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    // A level takes up to two entries of the parser's stack: the collection and its item's key.
    if (parser.stack.length > 2 * maxDepth + 8) throw tooDeep(maxDepth, parser.offset);
  }
  for (const token of parser.end()) tokens.push(token);
  const evenIfEmpty = true;
  const documents = [...composer.compose(tokens, evenIfEmpty, text.length)];
  const document = documents[0]!;
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault !== undefined) {
    throw new DocumentFault(fault.message.replace(/\.$/, ""), fault.pos[0]);
  }
  if (documents.length > 1) {
    throw new DocumentFault("it holds more than one document", documents[1]!.range[0]);
  }
  return document as Document.Parsed;
}
