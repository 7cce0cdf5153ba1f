/**
 * The tasks of a run: their shards, and how a shard feeds the graph.
 *
 * @module
 */
import { useSession } from "../../session.tsx";
import { type Draft, textAt, valueAt, withValue } from "./draft.ts";
import { ChoiceAt, type Drafting, NumberAt, TextAt } from "./draft_fields.tsx";

const LOSSES = [
  { value: "cross_entropy", title: "Cross entropy (classes)" },
  { value: "binary_cross_entropy", title: "Binary cross entropy" },
  { value: "mse", title: "Mean squared error" },
];

/** The tasks of a draft. */
export function tasksOf(draft: Draft): readonly Draft[] {
  const tasks = valueAt(draft, "tasks");
  return Array.isArray(tasks) ? tasks : [];
}

/** Shards whose names begin as one that was chosen and end with their use, such as `a tune`, `a select`. */
function besides(shard: string, names: readonly string[], task: Draft): Draft {
  const stem = shard.replace(/[ _.-]*(?:tune|train)$/i, "");
  if (stem === shard || stem === "") return task;
  const find = (use: RegExp) =>
    names.find((name) => name.startsWith(stem) && use.test(name.slice(stem.length)));
  const select = textAt(task, "select") || find(/^[ _.-]*(?:select|val|valid|validation)$/i);
  const test = textAt(task, "test") || find(/^[ _.-]*test$/i);
  const named = /^task \d+$/.test(textAt(task, "name")) ? { name: stem } : {};
  return { ...task, ...named, ...(select ? { select } : {}), ...(test ? { test } : {}) };
}

/** The tasks. */
export function TaskFields({ draft, onDraft }: Drafting) {
  const { sources } = useSession();
  const names = sources.map(({ name }) => name);
  const tasks = tasksOf(draft);
  const shards = [{ value: "", title: "None" }, ...names.map((value) => ({ value, title: value }))];
  const change = (i: number) => (next: Draft) => {
    const shard = textAt(next, `tasks[${i}].shard`);
    const isNew = shard !== "" && shard !== textAt(draft, `tasks[${i}].shard`);
    onDraft(
      isNew ? withValue(next, `tasks[${i}]`, besides(shard, names, tasksOf(next)[i] ?? {})) : next,
    );
  };
  const add = () => {
    const { shard: _, select: _1, test: _2, ...bindings } = tasks.at(-1) ?? {};
    const name = `task ${tasks.length + 1}`;
    onDraft(withValue(draft, "tasks", [...tasks, { ...bindings, name, shard: "" }]));
  };
  return (
    <fieldset class="tasks">
      <legend>Tasks</legend>
      {tasks.map((task, i) => {
        const at = { draft, onDraft: change(i) };
        const path = `tasks[${i}]`;
        const inputs = Object.keys(valueAt(task, "inputs") ?? {});
        return (
          <div key={i} class="task panel" role="group" aria-label={`Task ${i + 1}`}>
            <div class="fields">
              <TextAt {...at} label="Name" path={`${path}.name`} />
              <ChoiceAt {...at} label="Tunes on" path={`${path}.shard`} choices={shards} />
              <ChoiceAt {...at} label="Selects on" path={`${path}.select`} choices={shards} />
              <ChoiceAt {...at} label="Tests on, once" path={`${path}.test`} choices={shards} />
            </div>
            <details>
              <summary>Inputs, target and loss</summary>
              <div class="fields">
                {inputs.map((input) => (
                  <TextAt
                    key={`${input} from`}
                    {...at}
                    label={`Graph input ${input} takes the array`}
                    path={`${path}.inputs.${input}.from`}
                  />
                ))}
                {inputs.map((input) => (
                  <NumberAt
                    key={`${input} scale`}
                    {...at}
                    label={`times, for ${input}`}
                    path={`${path}.inputs.${input}.scale`}
                    description="Such as 0.0039 for bytes of an image."
                  />
                ))}
                <TextAt {...at} label="Target array" path={`${path}.target`} />
                <ChoiceAt {...at} label="Loss" path={`${path}.loss`} choices={LOSSES} />
                <NumberAt
                  {...at}
                  label="Weight"
                  description="Counts where weights are the tasks' own."
                  path={`${path}.weight`}
                  usual={1}
                  minimum={0}
                />
              </div>
            </details>
            {tasks.length > 1 && (
              <button
                type="button"
                class="small"
                onClick={() => onDraft(withValue(draft, "tasks", tasks.filter((_, k) => k !== i)))}
              >
                Remove task {i + 1}
              </button>
            )}
          </div>
        );
      })}
      <button type="button" onClick={add}>Add a task</button>
    </fieldset>
  );
}
