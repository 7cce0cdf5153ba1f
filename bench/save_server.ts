/**
 * Saves the body of every POST to one file: `FILE PORT`.
 *
 * @module
 */
const [path = "saved-upload", port = "0"] = Deno.args;

Deno.serve({ hostname: "127.0.0.1", port: Number(port), onListen() {} }, async (request) => {
  if (!request.body) return new Response("ready");
  const file = await Deno.open(path, { write: true, create: true, truncate: true });
  await request.body.pipeTo(file.writable);
  return new Response("saved");
});
