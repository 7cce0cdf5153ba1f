/**
 * Answers that go on while the service works: lines of JSON, or server-sent events.
 *
 * @module
 */

/** The lines of an answer as they come. */
async function* linesOf(answer: Response): AsyncGenerator<string> {
  if (!answer.body) return;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop()!;
      yield* lines;
    }
    if (rest !== "") yield rest;
  } finally {
    // The service stops its work where nobody listens.
    await reader.cancel().catch(() => {});
  }
}

/** The values of an `application/x-ndjson` answer. */
export async function* jsonLines(answer: Response): AsyncGenerator<unknown> {
  for await (const line of linesOf(answer)) {
    if (line.trim() !== "") yield JSON.parse(line);
  }
}

/** The data of a `text/event-stream` answer, as JSON. */
export async function* eventData(answer: Response): AsyncGenerator<unknown> {
  let data: string[] = [];
  for await (const given of linesOf(answer)) {
    const line = given.endsWith("\r") ? given.slice(0, -1) : given;
    if (line === "") {
      if (data.length > 0) yield JSON.parse(data.join("\n"));
      data = [];
    } else if (line.startsWith("data:")) {
      data.push(line.slice("data:".length).replace(/^ /, ""));
    }
  }
}
