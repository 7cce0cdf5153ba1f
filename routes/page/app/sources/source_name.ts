/**
 * Names for sources, made of where they come from.
 *
 * @module
 */

/** Endings that say the format and nothing of the model. */
const ENDINGS = /\.(?:safetensors|onnx|index|json|bin|pt|pth|gguf|zip)$/i;
/** File names that say nothing of the model; the folder before them does. */
const PLAIN = /^(?:(?:adapter_)?model|pytorch_model|diffusion_pytorch_model)$/i;
const LONGEST = 60;

/**
 * A name for what lies at a path, an address or a repository: short, of letters, digits, `.`, `_` and `-`, and not
 * taken yet.
 */
export function sourceName(place: string, taken: Iterable<string>): string {
  const path = place.replace(/^[a-z]+:\/\//i, "").replace(/[?#].*$/, "");
  const parts = path.split(/[\\/]/).filter((part) => part !== "");
  let stem = stemOf(parts.pop() ?? "");
  if (PLAIN.test(stem)) {
    // .../org/name/resolve/main/model.safetensors
    const folders = parts.filter((part) => !/^(?:resolve|blob|raw|main|master)$/i.test(part));
    stem = folders.length > 0 ? stemOf(folders.at(-1)!) : stem;
  }
  const plain = stem.normalize("NFKD").replaceAll(/[^\w.-]+/g, "-").replaceAll(/^[-.]+|[-.]+$/g, "")
    .slice(0, LONGEST) || "model";
  const used = new Set(taken);
  for (let i = 1;; i++) {
    const name = i === 1 ? plain : `${plain}-${i}`;
    // A part NAME.config would be taken for an adapter's configuration.
    if (!used.has(name) && !name.endsWith(".config")) return name;
  }
}

function stemOf(name: string): string {
  let stem = name;
  while (ENDINGS.test(stem) && stem.replace(ENDINGS, "") !== "") stem = stem.replace(ENDINGS, "");
  return stem;
}
