/**
 * How far something is: a bar, how much is done, how fast, and how long it will take.
 *
 * @module
 */
import { useRef } from "preact/hooks";
import { formatBytes } from "./format_bytes.ts";
import { formatDuration } from "./format_duration.ts";
import { rateMeter } from "./rate.ts";

/** How far it is. */
export interface ProgressMeterProps {
  /** What is being done, such as `Uploading`. */
  readonly label: string;
  /** Bytes done; undefined where nobody can tell. */
  readonly done: number | undefined;
  /** Bytes in all; undefined where nobody can tell. */
  readonly total: number | undefined;
  /** Says it in other words than bytes, such as steps. */
  readonly format?: (value: number) => string;
  /** Why nobody can tell, or anything else worth a line. */
  readonly note?: string;
}

/** How far it is, in a bar and in words. */
export function ProgressMeter(
  { label, done, total, format = formatBytes, note }: ProgressMeterProps,
) {
  const meter = useRef(rateMeter());
  const told = useRef({ text: "", seconds: -Infinity });
  const seconds = performance.now() / 1000;
  const rate = done === undefined ? {} : meter.current(done, total, seconds);
  const parts = [
    done === undefined
      ? ""
      : total === undefined
      ? format(done)
      : `${format(done)} of ${format(total)}`,
    rate.perSecond === undefined ? "" : `${format(Math.round(rate.perSecond))} a second`,
    rate.left === undefined || rate.left === 0 ? "" : `${formatDuration(rate.left)} left`,
  ].filter((part) => part !== "");
  // A reader of the screen hears it every few seconds and not at every byte.
  if (seconds - told.current.seconds >= 5) {
    const percent = done !== undefined && total ? `${Math.floor(100 * done / total)} percent` : "";
    told.current = { text: [label, percent, parts.at(-1)].filter(Boolean).join(", "), seconds };
  }
  return (
    <div class="meter">
      <p class="line">
        <span>{label}</span>
        <span class="quiet numbers">{parts.join(" · ")}</span>
      </p>
      <progress
        aria-label={label}
        {...(done === undefined || !total ? {} : { value: done, max: total })}
      />
      {note && <p class="quiet">{note}</p>}
      <p class="heard" role="status">{told.current.text}</p>
    </div>
  );
}
