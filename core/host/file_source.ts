/** Stopgap. @module */
import type { ByteSource, Bytes } from "../checkpoint/byte_source.ts";
export async function openFile(path: string): Promise<ByteSource> {
  const first = await Deno.open(path);
  const { size } = await first.stat();
  const idle: Deno.FsFile[] = [first];
  return {
    byteLength: size,
    async slice(start, end): Promise<Bytes> {
      const file = idle.pop() ?? await Deno.open(path);
      const out = new Uint8Array(end - start);
      file.seekSync(start, Deno.SeekMode.Start);
      let at = 0;
      while (at < out.length) {
        const n = await file.read(out.subarray(at));
        if (n === null) throw new Error("ended early");
        at += n;
      }
      idle.push(file);
      return out;
    },
    close() {
      for (const f of idle.splice(0)) f.close();
    },
  };
}
