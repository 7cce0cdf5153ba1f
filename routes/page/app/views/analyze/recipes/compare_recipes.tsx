/**
 * Two recipes side by side: what each tensor will get, and on demand what both make of the weights.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";
import type { PlanDocument } from "../../../../../../core/merge/plan_document.ts";
import { TableView } from "../../../charts/table_view.tsx";
import { Field } from "../../../parts/field.tsx";
import { countOf, formatBytes } from "../../../parts/format_bytes.ts";
import { useSession } from "../../../session.tsx";
import { CallNotice } from "../../call_notice.tsx";
import { useCall } from "../../use_call.ts";
import { comparePlans, planTable } from "./compared_plans.ts";
import { mergeBoth, type MergedBoth, type ReadyRecipe } from "./merge_both.ts";
import { MergedPictures } from "./merged_pictures.tsx";
import { type Method, readRecipe, usualRecipe } from "./recipe_draft.ts";

/** The methods that the two recipes begin with. */
const FIRST = ["linear", "ties"];

/** The comparison. */
export function CompareRecipes(
  { base, models }: { readonly base: string | undefined; readonly models: readonly string[] },
) {
  const { send, sources } = useSession();
  const [methods, setMethods] = useState<readonly Method[]>([]);
  const [chosen, setChosen] = useState<readonly string[]>(FIRST);
  // Undefined: the usual recipe of the method that is chosen.
  const [texts, setTexts] = useState<readonly (string | undefined)[]>([undefined, undefined]);
  const plans = useCall<readonly [PlanDocument, PlanDocument]>();
  const merges = useCall<MergedBoth>();
  useEffect(() => {
    send({ method: "GET", path: "/methods" })
      .then((answer) => answer.json())
      .then(({ methods }: { methods: readonly Method[] }) => setMethods(methods))
      .catch(() => setMethods([]));
  }, [send]);
  const shown = [0, 1].map((i) => {
    const method = methods.find(({ name }) => name === chosen[i]);
    return texts[i] ?? (method ? usualRecipe(method, base, models) : "");
  });
  const read = shown.map((text) => readRecipe(text, sources));
  const ready = read.flatMap((each): ReadyRecipe[] => "fault" in each ? [] : [each]);
  const change = <T,>(list: readonly T[], i: number, value: T) => list.with(i, value);
  const both = () => [ready[0]!, ready[1]!] as const;
  const compared = plans.call.answer && comparePlans(...plans.call.answer);
  return (
    <section class="compare" aria-label="Two recipes">
      <h2>Two recipes side by side</h2>
      <div class="two">
        {[0, 1].map((i) => {
          const letter = "AB"[i]!;
          const one = read[i]!;
          const fault = "fault" in one && shown[i] !== "" ? one.fault : undefined;
          return (
            <div key={letter} class="panel">
              <Field label={`Method ${letter}`}>
                {({ id }) => (
                  <select
                    id={id}
                    value={chosen[i]}
                    onChange={(event) => {
                      setChosen(change(chosen, i, event.currentTarget.value));
                      setTexts(change(texts, i, undefined));
                    }}
                  >
                    {methods.map(({ name, title }) => (
                      <option key={name} value={name}>{title}</option>
                    ))}
                  </select>
                )}
              </Field>
              <Field label={`Recipe ${letter}`} fault={fault}>
                {({ id, describedBy }) => (
                  <textarea
                    id={id}
                    class="mono"
                    rows={14}
                    spellcheck={false}
                    value={shown[i]}
                    aria-describedby={describedBy}
                    onInput={(event) => setTexts(change(texts, i, event.currentTarget.value))}
                  />
                )}
              </Field>
            </div>
          );
        })}
      </div>
      <div class="actions">
        <button
          type="button"
          disabled={ready.length < 2}
          onClick={() =>
            plans.start(async (context) => {
              const [a, b] = both();
              const plan = async ({ value, files }: ReadyRecipe): Promise<PlanDocument> => {
                const answer = await send({
                  method: "POST",
                  path: "/plan",
                  document: { part: "recipe", value },
                  files,
                  ...context,
                });
                return await answer.json();
              };
              return [await plan(a), await plan(b)];
            })}
        >
          Compare plans
        </button>
        <button
          type="button"
          disabled={ready.length < 2}
          onClick={() => {
            const from = sources.find(({ name }) => name === base);
            merges.start((context) => mergeBoth(send, both(), from, context));
          }}
        >
          Merge both and compare
        </button>
        <span class="quiet">Merging keeps both results in memory.</span>
      </div>
      <CallNotice call={plans.call} doing="Planning both" onStop={plans.stop} />
      {plans.call.answer && compared && (
        <>
          <p>
            {countOf(compared.filter(({ same }) => !same).length, "tensor")} of {compared.length}
            {" "}
            get something else. A writes {formatBytes(plans.call.answer[0].bytes_out)} in{" "}
            {countOf(plans.call.answer[0].passes, "pass", "passes")}, B{" "}
            {formatBytes(plans.call.answer[1].bytes_out)} in{" "}
            {countOf(plans.call.answer[1].passes, "pass", "passes")}.
          </p>
          <TableView table={planTable(compared)} label="Both plans" />
        </>
      )}
      <CallNotice call={merges.call} doing="Merging and measuring" onStop={merges.stop} />
      {merges.call.answer && <MergedPictures merged={merges.call.answer} />}
    </section>
  );
}
