/**
 * What a browser must offer so that work can be done in it.
 *
 * @module
 */

/** The first thing that is not there, in words; undefined if all are. */
export function missingFeature(): string | undefined {
  if (!isSecureContext) return "secure context (https, or this machine itself)";
  if (typeof Worker === "undefined") return "workers";
  if (typeof WebAssembly === "undefined") return "WebAssembly";
  if (!("locks" in navigator)) return "locks";
  if (!("toHex" in Uint8Array.prototype)) return "Uint8Array.prototype.toHex";
  if (!("body" in Request.prototype)) return "bodies of requests as streams";
  if (!(Symbol.asyncIterator in ReadableStream.prototype)) return "iteration of streams";
  return undefined;
}
