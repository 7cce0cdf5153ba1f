/**
 * Writes WebAssembly: one function over an imported memory.
 *
 * @module
 */

/** Value types. */
export const I32 = 0x7f;
const V128 = 0x7b;

/** The code of a function as it is written. */
export interface Code {
  /** Appends bytes of instructions. */
  raw(...bytes: readonly number[]): void;
  /** A SIMD instruction: prefix, number, immediates. */
  simd(operation: number, ...immediates: readonly number[]): void;
  get(local: number): void;
  set(local: number): void;
  /** Pushes a 32-bit integer. */
  integer(value: number): void;
  /** Pushes a vector of 16 bytes. */
  constant(value: Uint8Array): void;
  readonly bytes: number[];
  /** The vectors that are pushed, each once. */
  readonly constants: readonly Uint8Array[];
}

/** Begins a function's code. */
export function createCode(): Code {
  const bytes: number[] = [];
  const constants: Uint8Array[] = [];
  return {
    bytes,
    constants,
    raw: (...more) => void bytes.push(...more),
    simd: (operation, ...immediates) =>
      void bytes.push(0xfd, ...unsigned(operation), ...immediates),
    get: (local) => void bytes.push(0x20, ...unsigned(local)),
    set: (local) => void bytes.push(0x21, ...unsigned(local)),
    integer: (value) => void bytes.push(0x41, ...signed(value)),
    constant(value) {
      let index = constants.findIndex((known) => known.every((byte, i) => byte === value[i]));
      if (index < 0) index = constants.push(value) - 1;
      bytes.push(0x23, ...unsigned(index));
    },
  };
}

/**
 * A module that imports `env.memory` and exports `run`, which answers the i32 that its code leaves.
 *
 * @param parameters Number of parameters, all i32.
 * @param integers Number of further i32 locals; they follow the parameters.
 * @param vectors Number of v128 locals; they follow those.
 */
export function wasmModule(
  parameters: number,
  integers: number,
  vectors: number,
  { bytes, constants }: Code,
): Uint8Array<ArrayBuffer> {
  const body = [
    ...unsigned(2),
    ...unsigned(integers),
    I32,
    ...unsigned(vectors),
    V128,
    ...bytes,
    0x0b,
  ];
  return new Uint8Array([
    0x00,
    0x61,
    0x73,
    0x6d,
    0x01,
    0x00,
    0x00,
    0x00,
    ...section(1, [1, 0x60, ...unsigned(parameters), ...Array(parameters).fill(I32), 1, I32]),
    ...section(2, [1, ...text("env"), ...text("memory"), 0x02, 0x00, 0x00]),
    ...section(3, [1, 0]),
    // Globals that could change: V8 loads them, while it builds constants anew, in four instructions, at each use.
    ...section(6, [
      ...unsigned(constants.length),
      ...constants.flatMap((value) => [V128, 0x01, 0xfd, 0x0c, ...value, 0x0b]),
    ]),
    ...section(7, [1, ...text("run"), 0x00, 0x00]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

/** A number as LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  do {
    const low = value & 0x7f;
    value >>>= 7;
    bytes.push(value === 0 ? low : low | 0x80);
  } while (value !== 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  for (;;) {
    const low = value & 0x7f;
    value >>= 7;
    const last = (value === 0 && (low & 0x40) === 0) || (value === -1 && (low & 0x40) !== 0);
    bytes.push(last ? low : low | 0x80);
    if (last) return bytes;
  }
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function text(value: string): number[] {
  return [...unsigned(value.length), ...new TextEncoder().encode(value)];
}

/** Leaves four integers of one value on the stack. */
export function integers(code: Code, value: number): void {
  code.constant(new Uint8Array(new Int32Array(4).fill(value).buffer));
}
