/**
 * Serves a folder by byte ranges, as an object store does: `FOLDER PORT LATENCY`, every answer coming so many
 * milliseconds late.
 *
 * It speaks HTTP itself: `Deno.serve` takes as much processor time for the bytes as the service does to read and merge
 * them, and both share the machine.
 *
 * @module
 */
const folder = Deno.args[0] ?? ".";
const latency = Number(Deno.args[2] ?? 0);

/** Bytes that are read and sent at once, so that they are still in the processor's cache. */
const PIECE = 262_144;

/** What is sent for one request. */
interface Answer {
  readonly head: string;
  readonly file?: Deno.FsFile;
  /** Bytes of the body. */
  readonly length: number;
}

function answerTo(request: string): Answer {
  const [, name = ""] = /^GET \/([\w.-]+) /.exec(request) ?? [];
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(`${folder}/${name}`);
  } catch {
    return { head: "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", length: 0 };
  }
  const { size, mtime } = file.statSync();
  const range = /^range: bytes=(\d+)-(\d*)\r?$/im.exec(request);
  const start = range ? Number(range[1]) : 0;
  const end = range?.[2] ? Math.min(Number(range[2]) + 1, size) : size;
  file.seekSync(start, Deno.SeekMode.Start);
  const fields = [
    range ? "HTTP/1.1 206 Partial Content" : "HTTP/1.1 200 OK",
    `etag: "${size}-${mtime?.getTime()}"`,
    "accept-ranges: bytes",
    `content-length: ${end - start}`,
    ...(range ? [`content-range: bytes ${start}-${end - 1}/${size}`] : []),
  ];
  return { head: `${fields.join("\r\n")}\r\n\r\n`, file, length: end - start };
}

/** Sends all of the bytes. */
async function send(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

async function serve(connection: Deno.TcpConn): Promise<void> {
  connection.setNoDelay();
  const buffer = new Uint8Array(PIECE);
  for (let request = "";;) {
    const end = request.indexOf("\r\n\r\n");
    if (end < 0) {
      const count = await connection.read(buffer);
      if (count === null) return;
      request += new TextDecoder().decode(buffer.subarray(0, count));
      continue;
    }
    if (latency > 0) await new Promise((go) => setTimeout(go, latency));
    const { head, file, length } = answerTo(request.slice(0, end + 2));
    request = request.slice(end + 4);
    try {
      await send(connection, new TextEncoder().encode(head));
      for (let missing = length; missing > 0;) {
        const count = file!.readSync(buffer.subarray(0, Math.min(missing, PIECE)));
        if (count === null) throw new Error("The file became shorter");
        await send(connection, buffer.subarray(0, count));
        missing -= count;
      }
    } finally {
      file?.close();
    }
  }
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: Number(Deno.args[1] ?? 0) });
for await (const connection of listener) {
  // Who has gone needs no answer.
  serve(connection).catch(() => {}).finally(() => {
    try {
      connection.close();
    } catch {
      // It is closed.
    }
  });
}
