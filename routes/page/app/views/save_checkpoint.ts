/**
 * Saves a stored checkpoint as a file; a link could not send the visitor's key.
 *
 * @module
 */
import { saveFile } from "../charts/save_file.ts";
import type { Send } from "../service/service.ts";

/** Asks for the bytes and hands them to the browser's downloads. */
export async function saveCheckpoint(send: Send, id: string, name: string): Promise<void> {
  const answer = await send({ method: "GET", path: `/checkpoints/${encodeURIComponent(id)}` });
  saveFile(name, await answer.blob());
}
