/**
 * Whether requests go through a proxy, as only the platform's own `fetch` does.
 *
 * @module
 */

const VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/** Whether the environment names a proxy, as far as it may be read. */
export function behindProxy(): boolean {
  return VARIABLES.flatMap((name) => [name, name.toLowerCase()]).some((name) => {
    try {
      return (Deno.env.get(name) ?? "") !== "";
    } catch {
      return false;
    }
  });
}
