/**
 * Streams that hand on what another one gives, while somebody watches.
 *
 * @module
 */

/** What the watcher of a stream is told. */
export interface RelayWatch<Piece> {
  /** The next piece is asked for: whoever reads has done with the one before. */
  readonly asked?: () => void;
  /** A piece was handed over. */
  readonly passed?: (piece: Piece) => void;
  /** Once, whatever comes first: all was handed over, the source failed, or nobody wants any more. */
  readonly ended?: (how: "whole" | "failed" | "given up") => void;
}

/** A stream on its way. */
export interface Relay<Piece> {
  readonly stream: ReadableStream<Piece>;
  /** Ends it with a failure for whoever reads; the source is given up. */
  fail(reason: unknown): void;
}

/** The same pieces, each taken from the source when it is asked for. */
export function relay<Piece>(
  source: ReadableStream<Piece>,
  { asked, passed, ended }: RelayWatch<Piece>,
): Relay<Piece> {
  const reader = source.getReader();
  let controller: ReadableStreamDefaultController<Piece>;
  let open = true;
  const end: NonNullable<typeof ended> = (how) => {
    if (open) ended?.(how);
    open = false;
  };
  const stream = new ReadableStream<Piece>({
    start: (own) => void (controller = own),
    async pull() {
      asked?.();
      let next: ReadableStreamReadResult<Piece>;
      try {
        next = await reader.read();
      } catch (error) {
        end("failed");
        throw error;
      }
      // Who gave it up meanwhile has ended it.
      if (!open) return;
      if (next.done) {
        end("whole");
        return controller.close();
      }
      controller.enqueue(next.value);
      passed?.(next.value);
    },
    cancel(reason) {
      end("given up");
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
  return {
    stream,
    fail(reason) {
      end("given up");
      controller.error(reason);
      reader.cancel(reason).catch(() => {});
    },
  };
}
