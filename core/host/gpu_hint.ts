/**
 * Whether it is worth looking for a GPU.
 *
 * @module
 */

/** Devices of which Linux has at least one where there is a GPU. */
const DEVICES = ["/dev/dri", "/dev/nvidiactl", "/dev/kfd", "/dev/dxg"];

/**
 * False only where there certainly is no GPU: to ask for an adapter starts a thread and loads drivers, and the driver
 * that computes on the processor is large.
 *
 * @param has Whether a path is there.
 */
export function mayHaveGpu(
  os: typeof Deno.build.os = Deno.build.os,
  has: (path: string) => boolean = isThere,
): boolean {
  return os !== "linux" || DEVICES.some(has);
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
