/**
 * Serves a folder by byte ranges, as an object store does: `FOLDER PORT LATENCY`, every answer coming so many
 * milliseconds late.
 *
 * @module
 */
const folder = Deno.args[0] ?? ".";
const latency = Number(Deno.args[2] ?? 0);

Deno.serve(
  { hostname: "127.0.0.1", port: Number(Deno.args[1] ?? 0), onListen() {} },
  async (request) => {
    if (latency > 0) await new Promise((go) => setTimeout(go, latency));
    const name = new URL(request.url).pathname.replaceAll("/", "");
    const file = await Deno.open(`${folder}/${name}`);
    const { size, mtime } = await file.stat();
    const headers = new Headers({
      etag: `"${size}-${mtime?.getTime()}"`,
      "accept-ranges": "bytes",
    });
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "");
    const start = range ? Number(range[1]) : 0;
    const end = range?.[2] ? Math.min(Number(range[2]) + 1, size) : size;
    headers.set("content-length", String(end - start));
    if (!range) return new Response(file.readable, { headers });
    headers.set("content-range", `bytes ${start}-${end - 1}/${size}`);
    await file.seek(start, Deno.SeekMode.Start);
    const bytes = new Uint8Array(end - start);
    for (let at = 0; at < bytes.length;) at += await file.read(bytes.subarray(at)) ?? bytes.length;
    file.close();
    return new Response(bytes, { status: 206, headers });
  },
);
