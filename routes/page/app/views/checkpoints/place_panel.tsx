/**
 * What one place keeps.
 *
 * @module
 */
import { useState } from "preact/hooks";
import { Dialog } from "../../parts/dialog.tsx";
import { FileDrop } from "../../parts/file_drop.tsx";
import { formatBytes } from "../../parts/format_bytes.ts";
import { ProblemNotice } from "../../parts/problem_notice.tsx";
import { ProgressMeter } from "../../parts/progress_meter.tsx";
import type { Place } from "../../service/service.ts";
import { useSession } from "../../session.tsx";
import { openSaving } from "../merge/run/save_file.ts";
import {
  type KeptCheckpoint,
  otherPlace,
  pathOf,
  PLACE_NAMES,
  shortId,
} from "./kept_checkpoint.ts";
import { KeptRow } from "./kept_row.tsx";
import { RoomMeter } from "./room.tsx";
import { useKept } from "./use_kept.ts";

/** What the panel shows. */
export interface PlacePanelProps {
  readonly place: Place;
  /** Counts what was done anywhere. */
  readonly changes: number;
  /** Is told after something was done. */
  onChange(): void;
  /** Is given what is to be merged. */
  onUse(kept: KeptCheckpoint): void;
}

interface Sent {
  readonly done: number;
  readonly total: number;
}

/** What one place keeps. */
export function PlacePanel({ place, changes, onChange, onUse }: PlacePanelProps) {
  const { sends } = useSession();
  const send = sends[place];
  const { kept, hasMore, problem, busy, load, more, act } = useKept(place, changes);
  const [sent, setSent] = useState<Sent>();
  const [leaving, setLeaving] = useState<KeptCheckpoint>();

  const change = async (label: string, run: () => Promise<unknown>) => {
    const isDone = await act(label, run);
    setSent(undefined);
    if (isDone) onChange();
  };
  const keep = (to: Place, bytes: Blob) =>
    sends[to]({
      method: "POST",
      path: "/checkpoints",
      bytes,
      onSent: (done, total) => setSent({ done, total }),
    });
  const keepFiles = (files: readonly File[]) =>
    change(`Keeping ${files.map(({ name }) => name).join(", ")}`, async () => {
      for (const file of files) await keep(place, file);
    });
  const copy = ({ id }: KeptCheckpoint) =>
    change(`Copying ${shortId(id)} to ${PLACE_NAMES[otherPlace(place)]}`, async () => {
      const answer = await send({ method: "GET", path: pathOf(id) });
      await keep(otherPlace(place), await answer.blob());
    });
  const download = async ({ id }: KeptCheckpoint) => {
    const saving = await openSaving(`${shortId(id)}.safetensors`);
    if (!saving) return;
    await act(`Downloading ${shortId(id)}`, async () => {
      const answer = await send({ method: "GET", path: pathOf(id) });
      await answer.body?.pipeTo(saving.stream);
      await saving.finish();
    });
  };
  const remove = ({ id }: KeptCheckpoint) =>
    change(`Deleting ${shortId(id)}`, () => send({ method: "DELETE", path: pathOf(id) }));

  return (
    <section class="panel kept-panel" aria-label={`Kept in ${PLACE_NAMES[place]}`}>
      <h2>In {PLACE_NAMES[place]}</h2>
      {place === "browser" && <RoomMeter changes={changes} />}
      <FileDrop
        label={`Keep a checkpoint in ${PLACE_NAMES[place]}`}
        accept=".safetensors"
        disabled={busy !== undefined}
        onFiles={(files) => void keepFiles(files)}
      >
        or drop it here: a safetensors file.{" "}
        {place === "browser" ? "It does not leave this machine." : "It is uploaded."}
      </FileDrop>
      {busy !== undefined && <ProgressMeter label={busy} done={sent?.done} total={sent?.total} />}
      {problem && <ProblemNotice problem={problem} onRetry={() => void load()} />}
      {kept?.length === 0 && <p class="quiet" role="status">Nothing is kept here.</p>}
      {kept && kept.length > 0 && (
        <ul class="kept-list" aria-label={`Checkpoints in ${PLACE_NAMES[place]}`}>
          {kept.map((each) => (
            <KeptRow
              key={each.id}
              place={place}
              kept={each}
              disabled={busy !== undefined}
              onUse={() => onUse(each)}
              onDownload={() =>
                void download(each)}
              onCopy={() =>
                void copy(each)}
              onDelete={() => setLeaving(each)}
            />
          ))}
        </ul>
      )}
      {hasMore && <button type="button" onClick={() => void more()}>Show more</button>}
      <Dialog
        title="Delete the checkpoint?"
        open={leaving !== undefined}
        onClose={() => setLeaving(undefined)}
      >
        {leaving && (
          <>
            <p>
              <span class="mono">{shortId(leaving.id)}</span>{" "}
              ({formatBytes(leaving.bytes)}) goes from {PLACE_NAMES[place]} and does not come back.
            </p>
            <div class="actions">
              <button
                type="button"
                class="primary"
                onClick={() => {
                  setLeaving(undefined);
                  void remove(leaving);
                }}
              >
                Delete
              </button>
              <button type="button" onClick={() => setLeaving(undefined)}>Keep it</button>
            </div>
          </>
        )}
      </Dialog>
    </section>
  );
}
