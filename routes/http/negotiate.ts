/**
 * What a client prefers: `Accept` (RFC 9110, section 12.5.1) and `Prefer` (RFC 7240).
 *
 * @module
 */

interface Range {
  readonly type: string;
  readonly quality: number;
}

/**
 * The offer that the client likes best; the first of equally good ones.
 *
 * @param accept The `Accept` header; without one everything is welcome.
 * @param offers Media types in the order in which the server likes them.
 * @returns Undefined if the client refuses all of them.
 */
export function preferredType<T extends string>(
  accept: string | null | undefined,
  offers: readonly T[],
): T | undefined {
  const ranges = parseAccept(accept ?? "");
  let best: T | undefined;
  let bestQuality = 0;
  for (const offer of offers) {
    const quality = ranges.length === 0 ? 1 : qualityOf(offer, ranges);
    if (quality > bestQuality) [best, bestQuality] = [offer, quality];
  }
  return best;
}

/** Whether `Prefer: respond-async` is set. */
export function prefersAsync(prefer: string | null | undefined): boolean {
  return parsePrefer(prefer ?? "").has("respond-async");
}

/** The preferences by name, in lower case; the value is empty where there is none. The first of a name counts. */
export function parsePrefer(header: string): Map<string, string> {
  const preferences = new Map<string, string>();
  for (const item of header.split(",")) {
    const [name = "", value = ""] = (item.split(";")[0] ?? "").split("=");
    const key = name.trim().toLowerCase();
    if (key === "" || preferences.has(key)) continue;
    preferences.set(key, value.trim().replace(/^"(.*)"$/, "$1"));
  }
  return preferences;
}

function parseAccept(header: string): Range[] {
  return header.split(",").flatMap((item) => {
    const [type = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase());
    if (!/^[^\s/]+\/[^\s/]+$/.test(type)) return [];
    const text = parameters.find((parameter) => /^q\s*=/.test(parameter));
    const quality = text === undefined ? 1 : Number(text.slice(text.indexOf("=") + 1));
    return [{ type, quality: quality >= 0 && quality <= 1 ? quality : 0 }];
  });
}

/** The quality that the most specific range gives to a type; 0 if none matches. */
function qualityOf(type: string, ranges: readonly Range[]): number {
  const group = `${type.split("/")[0]}/*`;
  for (const pattern of [type, group, "*/*"]) {
    const range = ranges.find((each) => each.type === pattern);
    if (range) return range.quality;
  }
  return 0;
}
