/**
 * Checks that the tensors of a safetensors file fill its data exactly: no overlap, no hole, no rest.
 *
 * @module
 */
import { type HeaderFault, quote } from "./header_fault.ts";
import type { HeaderTensor } from "./safetensors_header.ts";

/**
 * Sorts tensors by their bytes and checks that each begins where the one before ends.
 *
 * @param tensors With absolute offsets, in any order.
 * @param dataStart Where the data begins in the file.
 * @param byteLength Size of the file in bytes.
 * @param fault Throws the problem.
 * @returns The tensors in the order of their bytes; empty ones keep their order among themselves.
 */
export function checkLayout(
  tensors: readonly HeaderTensor[],
  dataStart: number,
  byteLength: number,
  fault: HeaderFault,
): readonly HeaderTensor[] {
  const sorted = tensors.toSorted((a, b) => a.start - b.start || a.end - b.end);
  let position = dataStart;
  let previous: string | undefined;
  for (const { name, start, end } of sorted) {
    const members = { tensor: name };
    if (end > byteLength) {
      fault(
        `Cannot read the tensor ${
          quote(name)
        } as it must end inside the file of ${byteLength} bytes: ` +
          `current value is ${end}`,
        byteLength,
        members,
      );
    }
    if (start < position) {
      fault(
        `Cannot read the tensor ${quote(name)} as it must not overlap ${
          quote(previous ?? "")
        }, which ` +
          `ends at byte ${position}: current value is ${start}`,
        start,
        members,
      );
    }
    if (start > position) {
      fault(
        `Cannot read the tensor ${
          quote(name)
        } as it must begin at byte ${position}, where the data ` +
          `before it ends: current value is ${start}`,
        position,
        members,
      );
    }
    position = end;
    previous = name;
  }
  if (position !== byteLength) {
    fault(
      `Cannot read the file as it must end with its last tensor at byte ${position}: ` +
        `current value is ${byteLength}`,
      position,
    );
  }
  return sorted;
}
