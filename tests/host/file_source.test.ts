import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { openSafetensors } from "../../core/checkpoint/open_safetensors.ts";
import { layoutSafetensors } from "../../core/checkpoint/write_safetensors.ts";
import { openFile } from "../../core/host/file_source.ts";
import { caughtProblem } from "../support/caught_problem.ts";

/** Runs with a fresh folder that is removed afterwards. */
async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function pattern(count: number): Uint8Array {
  return new Uint8Array(count).map((_, i) => (i * 31 + (i >> 8) * 7) & 0xff);
}

Deno.test("many slices at once each get their own bytes", async () => {
  await inFolder(async (folder) => {
    const bytes = pattern(300_000);
    await Deno.writeFile(`${folder}/a`, bytes);
    const source = await openFile(`${folder}/a`);
    assertEquals(source.byteLength, bytes.length);
    const slices = await Promise.all(Array.from({ length: 64 }, (_, i) => {
      const start = (i * 7919) % 200_000;
      return source.slice(start, start + 1 + i * 1500).then((slice) => ({ start, slice }));
    }));
    for (const { start, slice } of slices) {
      assertEquals(slice, bytes.slice(start, start + slice.length));
      assertEquals([slice.byteOffset, slice.buffer.byteLength], [0, slice.length]);
    }
    await assertRejects(() => source.slice(0, bytes.length + 1), RangeError, "[0, 300000]");
    source.close?.();
    source.close?.();
    await assertRejects(() => source.slice(0, 1), RangeError, "closed");
  });
});

Deno.test("a missing file or a folder is not found, and the folder's path is not told", async () => {
  await inFolder(async (folder) => {
    for (const name of ["absent.safetensors", "."]) {
      const problem = await caughtProblem(() => openFile(`${folder}/${name}`));
      assertEquals(problem.kind, "not-found");
      assertStringIncludes(problem.message, `current value is ${name}`);
      assert(!problem.message.includes(folder));
    }
  });
});

Deno.test("a file that becomes shorter is reported with the byte where it ends", async () => {
  await inFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a`, pattern(1000));
    const source = await openFile(`${folder}/a`);
    await Deno.truncate(`${folder}/a`, 600);
    const problem = await caughtProblem(() => source.slice(500, 900));
    assertEquals([problem.kind, problem.members.byte], ["invalid-checkpoint", 600]);
    assertStringIncludes(problem.message, "ended early");
    assertEquals((await source.slice(0, 600)).length, 600);
    source.close?.();
  });
});

Deno.test("a file that is replaced or removed under its name is read on as it was", async () => {
  await inFolder(async (folder) => {
    const bytes = pattern(5000);
    await Deno.writeFile(`${folder}/a`, bytes);
    await Deno.writeFile(`${folder}/b`, new Uint8Array(5000));
    const source = await openFile(`${folder}/a`);
    await Deno.rename(`${folder}/b`, `${folder}/a`);
    const readAll = () => Promise.all(Array.from({ length: 8 }, () => source.slice(0, 5000)));
    for (const slice of await readAll()) assertEquals(slice, bytes);
    await Deno.remove(`${folder}/a`);
    for (const slice of await readAll()) assertEquals(slice, bytes);
    source.close?.();
  });
});

Deno.test("closing while slices wait fails them and leaves no handle open", async () => {
  await inFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a`, pattern(1_000_000));
    const source = await openFile(`${folder}/a`);
    const slices = Array.from({ length: 16 }, () => source.slice(0, 1_000_000));
    source.close?.();
    const settled = await Promise.allSettled(slices);
    assert(settled.some(({ status }) => status === "rejected"));
    const stopped = AbortSignal.abort(new Error("enough"));
    await assertRejects(() => source.slice(0, 1, stopped), Error, "enough");
  });
});

Deno.test("a sparse checkpoint of more than 4 GiB opens and reads at its end", async () => {
  await inFolder(async (folder) => {
    const layout = layoutSafetensors([
      { name: "big", dtype: "F16", shape: [2 ** 31 + 8] },
      { name: "tail", dtype: "U8", shape: [4] },
    ], {});
    using file = await Deno.open(`${folder}/big`, { write: true, create: true });
    await file.write(layout.header);
    await file.truncate(layout.byteLength);
    await file.seek(layout.byteLength - 5, Deno.SeekMode.Start);
    await file.write(Uint8Array.of(9, 1, 2, 3, 4));
    const checkpoint = await openSafetensors(await openFile(`${folder}/big`));
    const { source, start, end } = checkpoint.tensors.get("tail")!;
    const big = checkpoint.tensors.get("big")!;
    const [tail, last] = await Promise.all([
      source.slice(start, end),
      source.slice(big.end - 2, big.end),
    ]);
    assertEquals([...last, ...tail], [0, 9, 1, 2, 3, 4]);
    assert(start > 2 ** 32);
    checkpoint.close();
  });
});

Deno.test("what is read without a turn of the event loop is the same", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/file`;
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
    await Deno.writeFile(path, bytes);
    const source = await openFile(path);
    const target = new Uint8Array(300);
    // The one handle is taken while another read is under way.
    const slow = source.slice(0, 1000);
    assertEquals(source.readNow!(target, 5), false);
    assertEquals(await slow, bytes);
    assertEquals(source.readNow!(target, 5), true);
    assertEquals(target, bytes.slice(5, 305));
    assertEquals(source.readNow!(target, 701), false);
    await Deno.truncate(path, 100);
    assertEquals(source.readNow!(target, 5), false);
    source.close!();
    assertEquals(source.readNow!(target.subarray(0, 10), 5), false);
  });
});
