/**
 * Checks that a text is well-formed XML, strictly enough for tests, and finds its elements.
 *
 * @module
 */

/** An element as it was opened. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Character data directly inside. */
  text: string;
}

const TOKEN =
  /<\?xml [^<>]*\?>|<\/([A-Za-z][\w:-]*)>|<([A-Za-z][\w:-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|[^<]+/y;
const ATTRIBUTE = /([\w:-]+)="([^"<]*)"/g;
const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
};

/** All elements in the order in which they open; throws where the text is not well-formed. */
export function xmlElements(xml: string): XmlElement[] {
  const elements: XmlElement[] = [];
  const open: XmlElement[] = [];
  let at = 0;
  while (at < xml.length) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(xml);
    if (token === null) throw new Error(`No XML at ${at}: ${xml.slice(at, at + 60)}`);
    at = TOKEN.lastIndex;
    const [whole, closed, opened, attributes = "", empty] = token;
    if (closed !== undefined) {
      if (open.pop()?.name !== closed) throw new Error(`Nothing to close with ${whole}`);
    } else if (opened !== undefined) {
      if (open.length === 0 && elements.length > 0) throw new Error("A second root");
      const element = { name: opened, attributes: read(attributes), text: "" };
      elements.push(element);
      if (empty === "") open.push(element);
    } else if (!whole.startsWith("<?")) {
      const inside = open.at(-1);
      if (inside) inside.text += decoded(whole);
      else if (whole.trim() !== "") throw new Error(`Text outside the root: ${whole}`);
    }
  }
  if (open.length > 0) throw new Error(`Never closed: ${open.at(-1)!.name}`);
  return elements;
}

function read(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(ATTRIBUTE)) {
    if (Object.hasOwn(attributes, name!)) throw new Error(`Twice: ${name}`);
    attributes[name!] = decoded(value!);
  }
  return attributes;
}

function decoded(text: string): string {
  for (const character of text) {
    const code = character.codePointAt(0)!;
    const isAllowed = code >= 0x20 && code !== 0xfffe && code !== 0xffff &&
      (code & ~0x7ff) !== 0xd800;
    if (!isAllowed && !"\t\n\r".includes(character)) throw new Error(`Not allowed in XML: ${code}`);
  }
  return text.replaceAll(/&[^;]*;?/g, (entity) => {
    const character = ENTITIES[entity];
    if (character === undefined) throw new Error(`No entity: ${entity}`);
    return character;
  });
}
