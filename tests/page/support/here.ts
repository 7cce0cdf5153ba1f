/**
 * Requests from inside the page, to the service and to this browser.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Page } from "playwright-core";
import type { EngineName } from "../../../core/engine/engine_name.ts";

/** A request as a test asks it; files are named, see {@linkcode giveFiles}. */
export interface Asked {
  readonly place: "service" | EngineName;
  readonly method?: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly document?: { readonly part: "recipe" | "request"; readonly value: unknown };
  /** Names of the files to bring. */
  readonly files?: readonly string[];
  /** Name of the file whose bytes are the body. */
  readonly bytes?: string;
}

/** What came of it. */
export interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of a failure. */
  readonly problem?: { readonly type: string; readonly detail: string; readonly status: number };
  /** What `onSent` was told. */
  readonly sent: readonly (readonly [number, number])[];
}

/** Lets the visitor choose files, which {@linkcode ask} then finds by their names. */
export async function giveFiles(
  page: Page,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<void> {
  await page.evaluate(() => {
    const input = document.createElement("input");
    Object.assign(input, { type: "file", multiple: true, id: "given", ariaLabel: "Given files" });
    document.querySelector("#given")?.remove();
    document.body.append(input);
  });
  await page.locator("#given").setInputFiles(
    Object.entries(files).map(([name, bytes]) => ({
      name,
      mimeType: "application/octet-stream",
      buffer: Buffer.from(bytes),
    })),
  );
}

/** Asks from inside the page; all requests to one engine go to one worker. */
export async function ask(page: Page, asked: Asked): Promise<Told> {
  const told = await page.evaluate(async ({ asked, address }) => {
    const { inBrowser, overNetwork } = await import(address);
    const scope = globalThis as { sends?: Record<string, (request: unknown) => Promise<Response>> };
    const sends = scope.sends ??= { service: overNetwork(() => undefined) };
    const send = sends[asked.place] ??= inBrowser(asked.place).send;
    const given = [...document.querySelector<HTMLInputElement>("#given")?.files ?? []];
    const file = (name: string) => given.find((each) => each.name === name)!;
    const sent: [number, number][] = [];
    const { method = "GET", path, headers, document: value, files, bytes } = asked;
    try {
      const answer = await send({
        method,
        path,
        ...(headers ? { headers } : {}),
        ...(value ? { document: value } : {}),
        ...(files ? { files: new Map(files.map((name) => [name, file(name)])) } : {}),
        ...(bytes ? { bytes: file(bytes) } : {}),
        ...(asked.place === "service"
          ? {}
          : { onSent: (done: number, total: number) => sent.push([done, total]) }),
      });
      const body = new Uint8Array(await answer.arrayBuffer()) as Uint8Array & {
        toBase64(): string;
      };
      const told = [...answer.headers] as [string, string][];
      return { status: answer.status, headers: told, bytes: body.toBase64(), sent };
    } catch (error) {
      const { problem } = error as { problem?: NonNullable<Told["problem"]> };
      if (!problem) throw error;
      return {
        status: problem.status,
        headers: [] as [string, string][],
        bytes: "",
        problem,
        sent,
      };
    }
  }, { asked, address: "/page/service.js" });
  return {
    ...told,
    headers: Object.fromEntries(told.headers),
    bytes: Uint8Array.fromBase64(told.bytes),
  };
}

/** The answer as JSON. */
export function jsonOf({ bytes, problem }: Told): unknown {
  if (problem) throw new Error(`${problem.type}: ${problem.detail}`);
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** Names of all files in the browser's store. */
export function storedFiles(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const names: string[] = [];
    for (const folder of ["blobs", "tmp"]) {
      const place = await (await root.getDirectoryHandle("amalgam")).getDirectoryHandle(folder);
      const entries = place as unknown as { keys(): AsyncIterable<string> };
      for await (const name of entries.keys()) names.push(`${folder}/${name}`);
    }
    return names;
  });
}
