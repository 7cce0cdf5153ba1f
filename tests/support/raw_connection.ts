/**
 * HTTP by hand, for clients that do not behave.
 *
 * @module
 */

/** Sends bytes on a fresh connection; the caller closes it. */
export async function sendRaw(
  port: number,
  ...parts: (string | Uint8Array)[]
): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  for (const part of parts) {
    const bytes = typeof part === "string" ? new TextEncoder().encode(part) : part;
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  }
  return connection;
}

/** What the server sends until a text has come or the connection ends. */
export async function readUntil(connection: Deno.TcpConn, text: string): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65536);
  let received = "";
  while (!received.includes(text)) {
    const count = await connection.read(buffer);
    if (count === null) break;
    received += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return received;
}

/** Waits until something holds; gives up after five seconds. */
export async function eventually(holds: () => Promise<boolean> | boolean): Promise<boolean> {
  for (let waited = 0; waited < 5000; waited += 10) {
    if (await holds()) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}
