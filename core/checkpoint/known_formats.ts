/**
 * Formats that people upload instead of safetensors, recognized from their first bytes.
 *
 * @module
 */

/** A recognized format and what to do with such a file. */
export interface ForeignFormat {
  /** Short name, such as `pytorch` or `gguf`. */
  readonly format: string;
  /** A sentence that says what the file is and what to do instead. */
  readonly advice: string;
}

const PYTORCH =
  "Load it in Python with torch.load(path, weights_only=True) and save its tensors with " +
  "safetensors.torch.save_file, then use that file";

/** Formats whose first bytes cannot be those of a safetensors file. */
const STRONG: readonly (readonly [string, ForeignFormat])[] = [
  ["PK\x03\x04", {
    format: "pytorch",
    advice:
      `The source is a zip archive, such as a PyTorch checkpoint (.pt, .pth, .bin) or .npz. ${PYTORCH}`,
  }],
  ["GGUF", {
    format: "gguf",
    advice:
      "The source is a GGUF file, whose weights are usually quantized. Merge the original safetensors " +
      "checkpoints and convert the result to GGUF afterwards",
  }],
  ["\x89HDF\r\n\x1a\n", {
    format: "hdf5",
    advice:
      "The source is an HDF5 file (Keras .h5). Save its weights with safetensors.numpy.save_file, then use that file",
  }],
  ["\x93NUMPY", {
    format: "npy",
    advice:
      "The source is a NumPy array without a name (.npy). Save it with safetensors.numpy.save_file, then use that file",
  }],
  ["\x1f\x8b\x08", {
    format: "gzip",
    advice: "The source is compressed with gzip. Decompress it first",
  }],
  ["version https://git-lfs", {
    format: "git-lfs",
    advice:
      "The source is a Git LFS pointer and not the file itself. Fetch the file with git lfs pull first",
  }],
];

/** Field tags that may follow `ir_version` at the start of an ONNX model. */
const ONNX_TAGS: ReadonlySet<number> = new Set([0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72]);

/**
 * Recognizes a file that is not safetensors. Ask only once the bytes cannot be a safetensors header:
 * a few of these formats have first bytes that a header length may have too.
 *
 * @param prefix The first bytes of the file, the more the better (up to 64 KiB).
 * @param lengthPossible Whether the first 8 bytes are a header length within the limit; short marks are
 * then no evidence.
 */
export function recognizeForeign(
  prefix: Uint8Array,
  lengthPossible: boolean,
): ForeignFormat | undefined {
  for (const [magic, foreign] of STRONG) if (startsWith(prefix, magic)) return foreign;
  if (lengthPossible) return undefined;
  const [first = 0, second = 0, third = 0] = prefix;
  if (first === 0x80 && second >= 2 && second <= 5) {
    return { format: "pickle", advice: `The source is a Python pickle. ${PYTORCH}` };
  }
  if (first === 0x08 && second >= 1 && second <= 20 && ONNX_TAGS.has(third)) {
    return {
      format: "onnx",
      advice:
        "The source is an ONNX model, which cannot be used here. Save its initializers as a safetensors " +
        "file, then use that file",
    };
  }
  return recognizeText(new TextDecoder().decode(prefix.subarray(0, 65536)).trimStart());
}

function recognizeText(text: string): ForeignFormat | undefined {
  if (/^(?:<!doctype|<html|<\?xml|<head|<body)/i.test(text)) {
    return {
      format: "html",
      advice:
        "The source is a web page (HTML or XML), such as an error or login page. Use the address " +
        "of the file itself",
    };
  }
  if (!text.startsWith("{") && !text.startsWith("[")) return undefined;
  if (text.includes('"weight_map"')) {
    return {
      format: "safetensors-index",
      advice:
        "The source is the index of a sharded checkpoint, whose shards must lie beside it. Name the " +
        "index by url, path or hub",
    };
  }
  return {
    format: "json",
    advice:
      "The source is JSON text, such as a configuration or an error message. Use the checkpoint " +
      "file itself",
  };
}

function startsWith(bytes: Uint8Array, magic: string): boolean {
  if (bytes.length < magic.length) return false;
  for (let i = 0; i < magic.length; i++) if (bytes[i] !== magic.charCodeAt(i)) return false;
  return true;
}
