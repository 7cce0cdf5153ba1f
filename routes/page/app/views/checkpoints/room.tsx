/**
 * The room that the browser gives to this page, and how long it keeps what is there.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";
import type { HereStatus } from "../../../here/status.ts";
import { formatBytes } from "../../parts/format_bytes.ts";
import { ProblemError } from "../../service/problem.ts";
import { useSession } from "../../session.tsx";

/** How full the browser's room is; `changes` counts what may have changed it. */
export function RoomMeter({ changes }: { readonly changes: number }) {
  const { sends } = useSession();
  const [room, setRoom] = useState<HereStatus>();
  const [isRefused, setIsRefused] = useState(false);
  const read = async () => {
    try {
      setRoom(await (await sends.browser({ method: "GET", path: "/here" })).json() as HereStatus);
    } catch (error) {
      // The list beside it says why.
      if (!(error instanceof ProblemError)) throw error;
    }
  };
  useEffect(() => void read(), [changes]);
  if (!room) return null;
  const { usage, quota, persisted, lasting } = room;
  if (!lasting) {
    return (
      <p class="notice" role="status">
        This browser keeps nothing beyond this page, as in a private window: what is here goes when
        it is closed. Download what you cannot lose.
      </p>
    );
  }
  if (usage === undefined || quota === undefined) return null;
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
