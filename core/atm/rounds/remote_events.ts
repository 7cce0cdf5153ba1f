/**
 * Reads what another service answers: text, JSON, or events of which the last one counts.
 *
 * @module
 */

/** No answer is longer: the losses of a million steps fit. */
const LONGEST = 64 << 20;

/**
 * The first characters of a short answer, for messages.
 *
 * @param heard Is called for every piece that arrives.
 */
export async function readDetail(response: Response, heard: () => void): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of response.body ?? []) {
    heard();
    text += decoder.decode(piece, { stream: true });
    if (text.length > 500) break;
  }
  return text.slice(0, 500);
}

/**
 * The answer if it is JSON; of newline-delimited JSON the last event, `result` or `error`. Only one line is held.
 *
 * @param heard Is called for every piece that arrives.
 * @throws {Error} If it is too long, ends early, or is no JSON object.
 */
export async function readEvents(
  response: Response,
  heard: () => void,
): Promise<Readonly<Record<string, unknown>>> {
  const events = (response.headers.get("content-type") ?? "").includes("ndjson");
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of response.body ?? []) {
    heard();
    text += decoder.decode(piece, { stream: true });
    if (events) text = text.slice(text.lastIndexOf("\n", text.length - 2) + 1);
    if (text.length > LONGEST) throw new Error("its answer is too long");
  }
  const answer = objectOf(text + decoder.decode());
  if (!events || answer["event"] === "result" || answer["event"] === "error") return answer;
  throw new Error(`its answer ended early: the last event is ${String(answer["event"])}`);
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(
      `its answer must be JSON: current value is ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new Error(`its answer must be an object: current value is ${text.slice(0, 80)}`);
}
