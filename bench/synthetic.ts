/**
 * Synthetic checkpoints with the names and shapes of a Llama-like network.
 *
 * @module
 */
import { layoutSafetensors } from "../core/checkpoint/write_safetensors.ts";
import { encodeFrom } from "../core/tensor/codec.ts";
import { type DType, elementCount } from "../core/tensor/dtype.ts";

/** One tensor to be made. */
export interface SyntheticTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

const VOCABULARY = 32_000;
/** Widths are a multiple of that. */
const HEAD = 128;
/** Elements of the noise that all tensors repeat. */
const TILE = 1 << 20;

/**
 * Names and shapes of about `parameters` elements: embeddings and layers.
 *
 * @param layers Their number, as wide as they may be, which is how families of networks grow; absent: as many as there
 * may be of width 1024, which gives many tensors.
 */
export function syntheticTensors(
  parameters: number,
  dtype: DType,
  layers?: number,
): SyntheticTensor[] {
  const tensors: SyntheticTensor[] = [];
  const add = (name: string, ...shape: number[]) => tensors.push({ name, dtype, shape });
  const hidden = layers === undefined ? 8 * HEAD : widthOf(parameters, layers);
  const intermediate = Math.round(hidden * 2.75);
  const small = parameters < 3 * VOCABULARY * hidden;
  const vocabulary = small ? Math.max(Math.floor(parameters / (4 * hidden)), 8) : VOCABULARY;
  add("model.embed_tokens.weight", vocabulary, hidden);
  add("lm_head.weight", vocabulary, hidden);
  add("model.norm.weight", hidden);
  const perLayer = 4 * hidden * hidden + 3 * hidden * intermediate + 2 * hidden;
  const left = (parameters - 2 * vocabulary * hidden) / perLayer;
  for (let layer = 0; layer < (layers ?? Math.max(Math.round(left), 1)); layer++) {
    const prefix = `model.layers.${layer}`;
    for (const each of ["q", "k", "v", "o"]) {
      add(`${prefix}.self_attn.${each}_proj.weight`, hidden, hidden);
    }
    add(`${prefix}.mlp.gate_proj.weight`, intermediate, hidden);
    add(`${prefix}.mlp.up_proj.weight`, intermediate, hidden);
    add(`${prefix}.mlp.down_proj.weight`, hidden, intermediate);
    add(`${prefix}.input_layernorm.weight`, hidden);
    add(`${prefix}.post_attention_layernorm.weight`, hidden);
  }
  return tensors;
}

/** The width at which so many layers and the embeddings have about as many elements. */
function widthOf(parameters: number, layers: number): number {
  const elements = (hidden: number) => 12.25 * layers * hidden ** 2 + 2 * VOCABULARY * hidden;
  let hidden = HEAD;
  while (elements(hidden + HEAD) <= parameters) hidden += HEAD;
  return hidden;
}

/** Seeded noise, roughly normal. */
export function noise(seed: number, count: number, scale: number): Float32Array {
  let state = seed * 2654435761 >>> 0;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32 - 0.5;
  return Float32Array.from({ length: count }, () => scale * 2 * (next() + next() + next()));
}

/** Writes a checkpoint; `variant` 0 is the base, others are the base plus small sparse changes. */
export async function writeSynthetic(
  path: string,
  tensors: readonly SyntheticTensor[],
  variant: number,
): Promise<number> {
  const values = noise(1, TILE, 0.02);
  if (variant > 0) {
    const change = noise(variant + 1, TILE, 0.004);
    const chosen = noise(variant + 101, TILE, 1);
    values.forEach((_, i) => values[i]! += chosen[i]! > -0.3 ? change[i]! : 0);
  }
  const layout = layoutSafetensors(tensors, { format: "pt" });
  const file = await Deno.open(path, { write: true, create: true, truncate: true });
  const write = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  };
  const tiles = new Map<DType, Uint8Array>();
  const tileOf = (dtype: DType, bytes: number) => {
    const known = tiles.get(dtype);
    if (known) return known;
    const tile = new Uint8Array(TILE * bytes);
    encodeFrom(dtype, values, tile, { saturate: false });
    tiles.set(dtype, tile);
    return tile;
  };
  try {
    await write(layout.header);
    for (const { dtype, shape, start, end } of layout.tensors) {
      const tile = tileOf(dtype, (end - start) / elementCount(shape));
      for (let left = end - start; left > 0; left -= tile.length) {
        await write(tile.subarray(0, Math.min(left, tile.length)));
      }
    }
  } finally {
    file.close();
  }
  return layout.byteLength;
}
