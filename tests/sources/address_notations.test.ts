import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { isPrivateAddress } from "../../core/sources/private_host.ts";
import { checkSourceUrl } from "../../core/sources/source_policy.ts";
import { Problem } from "../../core/problem.ts";

const SEED = { seed: 20_260_411, numRuns: 500 };

/** Networks of IPv4 that are not public: first address and length of the prefix (RFC 6890 and others). */
const RESERVED: readonly [first: readonly number[], bits: number][] = [
  [[0, 0, 0, 0], 8],
  [[10, 0, 0, 0], 8],
  [[100, 64, 0, 0], 10],
  [[127, 0, 0, 0], 8],
  [[169, 254, 0, 0], 16],
  [[172, 16, 0, 0], 12],
  [[192, 0, 0, 0], 24],
  [[192, 0, 2, 0], 24],
  [[192, 88, 99, 0], 24],
  [[192, 168, 0, 0], 16],
  [[198, 18, 0, 0], 15],
  [[198, 51, 100, 0], 24],
  [[203, 0, 113, 0], 24],
  [[224, 0, 0, 0], 4],
  [[240, 0, 0, 0], 4],
  [[168, 63, 129, 16], 32],
];

const numberOf = (bytes: readonly number[]) => bytes.reduce((sum, byte) => sum * 256 + byte, 0);
const bytesOf = (address: number) => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255);

/** Judged by the table alone. */
function reserved(address: number): boolean {
  return RESERVED.some(([first, bits]) =>
    Math.floor(address / 2 ** (32 - bits)) === Math.floor(numberOf(first) / 2 ** (32 - bits))
  );
}

const inNetwork = fc.constantFrom(...RESERVED).chain(([first, bits]) =>
  fc.integer({ min: 0, max: 2 ** (32 - bits) - 1 }).map((rest) => numberOf(first) + rest)
);
const anywhere = fc.oneof(inNetwork, fc.integer({ min: 0, max: 2 ** 32 - 1 }));

/** Each part decimal, octal with any zeros, or hexadecimal; the last one holds what parts are missing. */
const notation = fc.record({
  parts: fc.integer({ min: 1, max: 4 }),
  bases: fc.array(fc.constantFrom("decimal", "octal", "hex", "HEX"), {
    minLength: 4,
    maxLength: 4,
  }),
  zeros: fc.integer({ min: 0, max: 5 }),
  dot: fc.boolean(),
});

type Notation = typeof notation extends fc.Arbitrary<infer Value> ? Value : never;

function written(address: number, { parts, bases, zeros, dot }: Notation): string {
  const bytes = bytesOf(address);
  const numbers = [...bytes.slice(0, parts - 1), numberOf(bytes.slice(parts - 1))];
  const texts = numbers.map((number, i) => {
    if (bases[i] === "decimal") return String(number);
    if (bases[i] === "octal") return `0${"0".repeat(zeros)}${number.toString(8)}`;
    return bases[i] === "hex"
      ? `0x${number.toString(16)}`
      : `0X${number.toString(16).toUpperCase()}`;
  });
  return texts.join(".") + (dot ? "." : "");
}

function refused(host: string): boolean {
  try {
    checkSourceUrl(`http://${host}/x`, ["*"]);
    return false;
  } catch (error) {
    if (error instanceof Problem && error.kind === "forbidden-source") return true;
    throw error;
  }
}

Deno.test("an IPv4 address is refused if it is reserved and let through if not, in every notation", () => {
  let both = 0;
  fc.assert(
    fc.property(anywhere, notation, (address, form) => {
      const host = written(address, form);
      both |= reserved(address) ? 1 : 2;
      assertEquals(refused(host), reserved(address), host);
      assertEquals(isPrivateAddress(bytesOf(address).join(".")), reserved(address), host);
    }),
    { ...SEED, numRuns: 3000 },
  );
  assertEquals(both, 3);
});

Deno.test("an IPv4 address inside an IPv6 one is refused, whatever it is", () => {
  fc.assert(
    fc.property(
      anywhere,
      fc.constantFrom("::ffff:", "::", "::ffff:0:", "64:ff9b::", "64:ff9b:1::", "fd00::"),
      fc.boolean(),
      (address, prefix, dotted) => {
        const bytes = bytesOf(address);
        const high = ((bytes[0]! << 8) | bytes[1]!).toString(16);
        const low = ((bytes[2]! << 8) | bytes[3]!).toString(16);
        const inner = dotted ? bytes.join(".") : `${high}:${low}`;
        assertEquals(refused(`[${prefix}${inner}]`), true, `${prefix}${inner}`);
        assertEquals(refused(`[2002:${high}:${low}::1]`), true);
        assertEquals(isPrivateAddress(`${prefix}${inner}`), true);
      },
    ),
    SEED,
  );
});

Deno.test("the first and last address of each reserved network are refused, their neighbours by the table", () => {
  for (const [first, bits] of RESERVED) {
    const start = numberOf(first);
    const end = start + 2 ** (32 - bits) - 1;
    for (const address of [start - 1, start, end, end + 1]) {
      if (address < 0 || address >= 2 ** 32) continue;
      assertEquals(refused(bytesOf(address).join(".")), reserved(address), String(address));
    }
    assertEquals([refused(String(start)), refused(String(end))], [true, true]);
  }
});
