/**
 * What a call is doing, and why it failed.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";
import { formatDuration } from "../parts/format_duration.ts";
import { ProblemNotice } from "../parts/problem_notice.tsx";
import { ProgressMeter } from "../parts/progress_meter.tsx";
import type { Call } from "./use_call.ts";

/** The seconds since a call began, told anew every second. */
export function useElapsed(since: number | undefined, running: boolean): number {
  const [, tick] = useState(0);
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => tick((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, [running]);
  return since === undefined ? 0 : (performance.now() - since) / 1000;
}

/** The notice; nothing where there is nothing to tell. */
export function CallNotice(
  { call, doing, onStop }: {
    readonly call: Call<unknown>;
    /** What is being done, such as `Reading the checkpoints`. */
    readonly doing: string;
    readonly onStop?: () => void;
  },
) {
  const seconds = useElapsed(call.since, call.running);
  const { sent, running, problem } = call;
  const sending = sent !== undefined && sent.bytes < sent.total;
  if (problem) return <ProblemNotice problem={problem} />;
  if (!running) return null;
  return (
    <div class="call">
      {sending
        ? <ProgressMeter label="Sending the files" done={sent.bytes} total={sent.total} />
        : (
          <ProgressMeter
            label={doing}
            done={undefined}
            total={undefined}
            {...(seconds >= 1 ? { note: `for ${formatDuration(Math.floor(seconds))}` } : {})}
          />
        )}
      {onStop && <button type="button" onClick={onStop}>Stop</button>}
    </div>
  );
}
