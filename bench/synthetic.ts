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

const HIDDEN = 1024;
const INTERMEDIATE = 2816;
const VOCABULARY = 32_000;
/** Elements of the noise that all tensors repeat. */
const TILE = 1 << 20;

/** Names and shapes of about `parameters` elements: embeddings, and as many layers as fit. */
export function syntheticTensors(parameters: number, dtype: DType): SyntheticTensor[] {
  const small = parameters < 3 * VOCABULARY * HIDDEN;
  const vocabulary = small ? Math.max(Math.floor(parameters / (4 * HIDDEN)), 8) : VOCABULARY;
  const tensors: SyntheticTensor[] = [];
  const add = (name: string, ...shape: number[]) => tensors.push({ name, dtype, shape });
  add("model.embed_tokens.weight", vocabulary, HIDDEN);
  add("lm_head.weight", vocabulary, HIDDEN);
  add("model.norm.weight", HIDDEN);
  const perLayer = 4 * HIDDEN * HIDDEN + 3 * HIDDEN * INTERMEDIATE + 2 * HIDDEN;
  const layers = Math.max(Math.round((parameters - 2 * vocabulary * HIDDEN) / perLayer), 1);
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `model.layers.${layer}`;
    for (const each of ["q", "k", "v", "o"]) {
      add(`${prefix}.self_attn.${each}_proj.weight`, HIDDEN, HIDDEN);
    }
    add(`${prefix}.mlp.gate_proj.weight`, INTERMEDIATE, HIDDEN);
    add(`${prefix}.mlp.up_proj.weight`, INTERMEDIATE, HIDDEN);
    add(`${prefix}.mlp.down_proj.weight`, HIDDEN, INTERMEDIATE);
    add(`${prefix}.input_layernorm.weight`, HIDDEN);
    add(`${prefix}.post_attention_layernorm.weight`, HIDDEN);
  }
  return tensors;
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
