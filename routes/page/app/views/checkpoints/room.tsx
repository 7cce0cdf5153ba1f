/**
 * The room that the browser gives to this page, and how long it keeps what is there.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";
import { formatBytes } from "../../parts/format_bytes.ts";

interface Room {
  readonly usage: number;
  readonly quota: number;
  /** Whether the browser promised to keep it when it needs the room itself. */
  readonly persisted: boolean;
}

/** Asks the browser; undefined where it tells nothing. */
async function askRoom(): Promise<Room | undefined> {
  try {
    const { usage, quota } = await navigator.storage.estimate();
    const persisted = await navigator.storage.persisted();
    return usage === undefined || quota === undefined ? undefined : { usage, quota, persisted };
  } catch {
    return undefined;
  }
}

/** How full the browser's room is; `changes` counts what may have changed it. */
export function RoomMeter({ changes }: { readonly changes: number }) {
  const [room, setRoom] = useState<Room>();
  const [isRefused, setIsRefused] = useState(false);
  const read = () => askRoom().then(setRoom);
  useEffect(() => void read(), [changes]);
  if (!room) return null;
  const { usage, quota, persisted } = room;
  const keep = async () => {
    setIsRefused(!await navigator.storage.persist());
    await read();
  };
  return (
    <div class="room">
      <p class="numbers" role="status">
        {formatBytes(usage)} of {formatBytes(quota)} used
      </p>
      <meter
        aria-label="Room in this browser"
        min={0}
        max={quota}
        value={Math.min(usage, quota)}
        high={0.9 * quota}
      />
      {persisted
        ? <p class="quiet">The browser keeps it until you delete it.</p>
        : (
          <p class="quiet">
            The browser may remove it when it needs the room. {isRefused
              ? "It did not agree to keep it: download what you cannot lose."
              : <button type="button" class="link" onClick={keep}>Ask it to keep it</button>}
          </p>
        )}
    </div>
  );
}
