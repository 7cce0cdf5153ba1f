/**
 * What two recipes make of the weights, layer by layer.
 *
 * @module
 */
import { useMemo } from "preact/hooks";
import { LineChart } from "../../../charts/line_chart.tsx";
import { cosineLabel, exactLabel, numberLabel } from "../../../charts/number_text.ts";
import type { MergedBoth } from "./merge_both.ts";

/** The pictures. */
export function MergedPictures({ merged }: { readonly merged: MergedBoth }) {
  const { beside, between } = merged;
  const isStep = beside.operand === "task_vectors";
  const from = isStep ? "from the base" : "of the weights";
  const { places, norms, cosines } = useMemo(() => {
    const differences = new Map(
      between.layers.map(({ name, norms }) => [name, norms.task_vectors[0]!]),
    );
    const norm = (i: number) => beside.layers.map((layer) => layer.norms.task_vectors[i]!);
    return {
      places: beside.layers.map(({ name }) => name),
      norms: [
        { name: "A", values: norm(0) },
        { name: "B", values: norm(1) },
        {
          name: "B − A",
          values: beside.layers.map(({ name }) => differences.get(name) ?? null),
          strong: true,
        },
      ],
      cosines: [{ name: "A × B", values: beside.layers.map(({ cosines }) => cosines[0]![1]!) }],
    };
  }, [merged]);
  const [a, b] = beside.total.norms.task_vectors;
  const difference = between.total.norms.task_vectors[0]!;
  return (
    <>
      <p>
        Norm {from}: A {exactLabel(a)}, B {exactLabel(b)}; norm of their difference{" "}
        {exactLabel(difference)}; cosine {exactLabel(beside.total.cosines[0]![1])}.
        {difference === 0 && " Both recipes give the same weights."}
      </p>
      <div class="pictures">
        <LineChart
          title="Norms of both results by layer"
          note={isStep ? "As steps from the base, and the step from A to B." : "Of the weights."}
          file="recipes-norms"
          places={places}
          placeLabel="layer"
          series={norms}
          valueLabel="Frobenius norm"
          format={numberLabel}
          fromZero
        />
        <LineChart
          title="Cosine between both results by layer"
          file="recipes-cosines"
          places={places}
          placeLabel="layer"
          series={cosines}
          valueLabel="Cosine"
          format={cosineLabel}
        />
      </div>
    </>
  );
}
