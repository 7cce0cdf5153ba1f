/**
 * The view "checkpoints": what the service and this browser keep.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";
import type { Place } from "../../service/service.ts";
import { useSession } from "../../session.tsx";
import { useSources } from "../../sources/use_sources.ts";
import { PlacePanel } from "./place_panel.tsx";
import { TaskVectorForm } from "./task_vector_form.tsx";

/** A checkpoint that is to be merged where it is kept. */
interface Chosen {
  readonly place: Place;
  readonly id: string;
}

/** The view. */
export function CheckpointsView() {
  const { place, setPlace } = useSession();
  const { add } = useSources();
  const [changes, setChanges] = useState(0);
  const [chosen, setChosen] = useState<Chosen>();
  const onChange = () => setChanges((before) => before + 1);
  // It is read where it is kept, so that work moves there first.
  useEffect(() => {
    if (!chosen) return;
    if (chosen.place !== place) return setPlace(chosen.place);
    add({ type: "checkpoint", id: chosen.id });
    setChosen(undefined);
    location.hash = "#/merge";
  }, [chosen, place]);
  return (
    <>
      <h1>Checkpoints</h1>
      <div class="kept-places">
        {(["service", "browser"] as const).map((each) => (
          <PlacePanel
            key={each}
            place={each}
            changes={changes}
            onChange={onChange}
            onUse={({ id }) => setChosen({ place: each, id })}
          />
        ))}
      </div>
      <TaskVectorForm onChange={onChange} />
    </>
  );
}
