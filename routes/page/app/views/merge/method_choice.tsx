/**
 * The choice of a method, with what there is to know of it.
 *
 * @module
 */
import { ChoiceField } from "../../parts/choice_field.tsx";
import { type Method, needsText } from "./method_catalogue.ts";

/** What is chosen. */
export interface MethodChoiceProps {
  readonly methods: readonly Method[];
  /** As the recipe names it; may be none of the catalogue. */
  readonly name: string;
  readonly fault: string | undefined;
  onChange(method: Method): void;
}

/** The choice. */
export function MethodChoice({ methods, name, fault, onChange }: MethodChoiceProps) {
  const method = methods.find((each) => each.name === name);
  const choices = methods.map((each) => ({
    value: each.name,
    title: `${each.name}: ${each.title}${each.experimental ? " (experimental)" : ""}`,
  }));
  return (
    <>
      <ChoiceField
        label="Method"
        value={name}
        choices={method ? choices : [{ value: name, title: name }, ...choices]}
        path="merge_method"
        fault={fault}
        onChange={(next) => {
          const found = methods.find((each) => each.name === next);
          if (found) onChange(found);
        }}
      />
      {method && <About method={method} />}
    </>
  );
}

function About({ method }: { readonly method: Method }) {
  const { formula, use, avoid, passes, paper } = method;
  return (
    <div class="about-method">
      <p>{needsText(method)}</p>
      <details>
        <summary>About {method.name}</summary>
        {formula && <p class="mono formula">{formula}</p>}
        <dl>
          {use && (
            <div>
              <dt>Use it for</dt>
              <dd>{use}</dd>
            </div>
          )}
          {avoid && (
            <div>
              <dt>Avoid it for</dt>
              <dd>{avoid}</dd>
            </div>
          )}
          {passes && (
            <div>
              <dt>Cost</dt>
              <dd>{passes}</dd>
            </div>
          )}
          {paper && (
            <div>
              <dt>Paper</dt>
              <dd>
                {paper.title}, {paper.year}
                {paper.arxiv && (
                  <>
                    {", "}
                    <a href={`https://arxiv.org/abs/${paper.arxiv}`} rel="noreferrer">
                      arXiv {paper.arxiv}
                    </a>
                  </>
                )}
              </dd>
            </div>
          )}
        </dl>
      </details>
    </div>
  );
}
