/**
 * How a run tunes, merges, accepts and stops.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";
import { SwitchField } from "../../parts/switch_field.tsx";
import { useSession } from "../../session.tsx";
import { type Draft, numberAt, valueAt, withValue } from "./draft.ts";
import { ChoiceAt, type Drafting, NumberAt, SwitchAt } from "./draft_fields.tsx";

const named = (names: readonly string[]) => names.map((value) => ({ value, title: value }));
const OPTIMIZERS = [
  { value: "sgd", title: "SGD" },
  { value: "adam", title: "Adam" },
  { value: "adamw", title: "AdamW" },
];
const OUTER = [
  { value: "", title: "None" },
  { value: "sgd", title: "SGD" },
  { value: "adam", title: "Adam" },
  { value: "adagrad", title: "Adagrad" },
  { value: "yogi", title: "Yogi" },
  { value: "qfedavg", title: "q-FedAvg" },
];
const WEIGHTS = [
  { value: "", title: "All tasks alike" },
  { value: "examples", title: "By examples" },
  { value: "tasks", title: "The tasks' own" },
];
const MODES = [
  { value: "", title: "Guarded: only rounds that help" },
  { value: "published", title: "Published: every round" },
];
const METRICS = [{ value: "", title: "Loss" }, { value: "accuracy", title: "Accuracy" }];
const OVERLAPS = [
  { value: "", title: "Refuse" },
  { value: "allow", title: "Allow between tune and select" },
];
/** For untrusted participants; these are no methods of the catalogue. */
const ROBUST = ["median", "trimmed_mean", "krum"];
const REFERENCES = [
  { name: "base", title: "The start itself" },
  { name: "experts", title: "Experts" },
  { name: "mean", title: "Mean of experts" },
  { name: "task_arithmetic", title: "Task arithmetic" },
  { name: "regmean", title: "RegMean" },
  { name: "joint", title: "Joint tuning" },
];

/** The options that every run needs. */
export function MainOptions(at: Drafting) {
  return (
    <div class="fields">
      <NumberAt
        {...at}
        label="Rounds"
        path="rounds"
        usual={10}
        minimum={1}
        maximum={1000}
        integer
      />
      <NumberAt {...at} label="Epochs a round" path="local.epochs" usual={1} minimum={1} integer />
      <NumberAt {...at} label="Batch size" path="local.batch_size" usual={32} minimum={1} integer />
      <ChoiceAt {...at} label="Optimizer" path="local.optimizer.name" choices={OPTIMIZERS} />
      <NumberAt
        {...at}
        label="Learning rate"
        path="local.optimizer.learning_rate"
        exclusiveMinimum={0}
      />
      <MergeMethod {...at} />
    </div>
  );
}

function MergeMethod(at: Drafting) {
  const { send } = useSession();
  const [methods, setMethods] = useState<readonly string[]>(["linear"]);
  useEffect(() => {
    send({ method: "GET", path: "/methods" })
      .then((answer) => answer.json())
      .then(({ methods }: { methods: readonly { readonly name: string }[] }) =>
        setMethods(methods.map(({ name }) => name))
      )
      .catch(() => {});
  }, [send]);
  return (
    <ChoiceAt
      {...at}
      label="Merge by"
      path="merge.merge_method"
      choices={[
        { value: "", title: "Plain mean" },
        ...named(methods.filter((name) => name !== "linear")),
        ...named(ROBUST),
      ]}
    />
  );
}

/** The others. */
export function MoreOptions(at: Drafting) {
  const { draft, onDraft } = at;
  const optimizer = valueAt(draft, "local.optimizer.name");
  const outer = valueAt(draft, "outer.name");
  const listed = valueAt(draft, "references");
  const references = new Set<unknown>(
    Array.isArray(listed) ? listed : REFERENCES.map(({ name }) => name),
  );
  const isPrivate = valueAt(draft, "privacy") !== undefined;
  return (
    <>
      <div class="fields">
        {optimizer === "sgd" && (
          <NumberAt
            {...at}
            label="Momentum"
            path="local.optimizer.momentum"
            usual={0}
            minimum={0}
            exclusiveMaximum={1}
          />
        )}
        <NumberAt {...at} label="Weight decay" path="local.optimizer.weight_decay" minimum={0} />
        <ChoiceAt
          {...at}
          label="Schedule"
          path="local.schedule"
          choices={[{ value: "", title: "Constant" }, { value: "cosine", title: "Cosine" }]}
        />
        <NumberAt {...at} label="Gradient clip" path="local.clip_norm" minimum={0} />
        <NumberAt
          {...at}
          label="Proximal term"
          description="Holds tasks near the round's start (FedProx)."
          path="local.proximal"
          minimum={0}
        />
        <NumberAt
          {...at}
          label="Step on the merged vector (alpha)"
          path="alpha"
          usual={1}
          exclusiveMinimum={0}
        />
        <OuterOptimizer {...at} />
        {outer !== undefined && outer !== "qfedavg" && (
          <NumberAt {...at} label="Outer rate" path="outer.learning_rate" exclusiveMinimum={0} />
        )}
        {outer === "sgd" && (
          <NumberAt
            {...at}
            label="Outer momentum"
            path="outer.momentum"
            usual={0}
            minimum={0}
            exclusiveMaximum={1}
          />
        )}
        <ChoiceAt {...at} label="Tasks count" path="weights" choices={WEIGHTS} />
        <NumberAt
          {...at}
          label="Longest task vector"
          description="Longer ones are clipped to this norm."
          path="clip.norm"
          exclusiveMinimum={0}
        />
        <ChoiceAt {...at} label="Mode" path="mode" choices={MODES} />
        <ChoiceAt {...at} label="Accept by" path="stop.metric" choices={METRICS} />
        <NumberAt
          {...at}
          label="Patience"
          description="Rejected rounds in a row before the run ends."
          path="stop.patience"
          usual={3}
          minimum={1}
          maximum={1000}
          integer
        />
        <ChoiceAt {...at} label="Rows in two shards" path="overlap" choices={OVERLAPS} />
        <NumberAt {...at} label="Seed" path="seed" minimum={0} integer />
      </div>
      <div class="switches">
        <SwitchAt
          {...at}
          label="Try smaller steps before a round is rejected"
          path="stop.backtrack"
          usual
        />
        <SwitchAt
          {...at}
          label="Keep the weights of accepted rounds"
          description="So that you can go back to one."
          path="keep_rounds"
          usual={false}
        />
        <SwitchField
          label="Average the rounds as well (SWA)"
          value={valueAt(draft, "average_rounds") !== undefined}
          onChange={(on) => onDraft(withValue(draft, "average_rounds", on ? "swa" : undefined))}
        />
        <SwitchField
          label="Differential privacy"
          value={isPrivate}
          onChange={(on) => onDraft(withValue(draft, "privacy", on ? PRIVACY : undefined))}
        />
      </div>
      {isPrivate && <PrivacyFields {...at} />}
      <fieldset class="switches">
        <legend>Compare with</legend>
        {REFERENCES.map(({ name, title }) => (
          <SwitchField
            key={name}
            label={title}
            value={references.has(name)}
            onChange={(on) =>
              onDraft(withValue(
                draft,
                "references",
                REFERENCES.map(({ name }) => name).filter((each) =>
                  each === name ? on : references.has(each)
                ),
              ))}
          />
        ))}
      </fieldset>
    </>
  );
}

const PRIVACY: Draft = { clip_norm: 1, noise_multiplier: 1, delta: 1e-5 };

function PrivacyFields(at: Drafting) {
  return (
    <div class="fields">
      <NumberAt {...at} label="Privacy clip" path="privacy.clip_norm" exclusiveMinimum={0} />
      <NumberAt {...at} label="Noise multiplier" path="privacy.noise_multiplier" minimum={0} />
      <NumberAt
        {...at}
        label="Delta"
        path="privacy.delta"
        exclusiveMinimum={0}
        exclusiveMaximum={1}
      />
    </div>
  );
}

/** Another optimizer has other options: only a rate that was given stays. */
function OuterOptimizer({ draft, onDraft }: Drafting) {
  const rate = numberAt(draft, "outer.learning_rate");
  return (
    <ChoiceAt
      draft={draft}
      label="Outer optimizer"
      path="outer.name"
      choices={OUTER}
      onDraft={(next) => {
        const name = valueAt(next, "outer.name");
        onDraft(withValue(
          next,
          "outer",
          name === undefined ? undefined : {
            name,
            ...(rate === undefined || name === "qfedavg" ? {} : { learning_rate: rate }),
          },
        ));
      }}
    />
  );
}
