/**
 * A problem document in words: what is wrong, where, and what to do next.
 *
 * @module
 */
import type { ProblemDocument } from "../service/problem.ts";
import { focusPath } from "./focus_path.ts";
import { adviceOf, kindOf, membersOf, type Suggestion, suggestionsOf } from "./problem_words.ts";

/** What the notice shows. */
export interface ProblemNoticeProps {
  readonly problem: ProblemDocument;
  /** Makes a correction that the problem offers; without it they stand as text. */
  readonly onFix?: (suggestion: Suggestion) => void;
  /** Shows the place of a fault; by default the control whose `data-path` it is gets the focus. */
  readonly onPlace?: (path: string) => void;
  /** Tries once more; there is no button without it. */
  readonly onRetry?: () => void;
}

/** Faults that are listed. */
const LISTED = 50;

/** A problem in words; a reader of the screen hears it at once. */
export function ProblemNotice({ problem, onFix, onPlace, onRetry }: ProblemNoticeProps) {
  const { title, detail, errors = [] } = problem;
  const advice = adviceOf(problem);
  const members = membersOf(problem);
  const suggestions = suggestionsOf(problem);
  const go = onPlace ?? focusPath;
  // A single fault whose message is the detail is not told twice.
  const isRepeated = errors.length === 1 && errors[0]?.message === detail;
  return (
    <div class="problem" role="alert" data-kind={kindOf(problem)}>
      <p class="title">{title}</p>
      <p class="detail">{detail}</p>
      {errors.length > 0 && (
        <ul class="faults">
          {errors.slice(0, LISTED).map(({ path, message }, i) => (
            <li key={i}>
              {path !== "" && (
                <button type="button" class="link mono" onClick={() => go(path)}>{path}</button>
              )}
              {!isRepeated && <span>{message}</span>}
            </li>
          ))}
          {errors.length > LISTED && <li>and {errors.length - LISTED} more</li>}
        </ul>
      )}
      {onFix && suggestions.length > 0 && (
        <p class="fixes">
          {suggestions.map((suggestion) => (
            <button
              type="button"
              key={`${suggestion.path} ${suggestion.name}`}
              onClick={() => onFix(suggestion)}
            >
              Use “{suggestion.name}”{suggestion.wrong && ` instead of “${suggestion.wrong}”`}
            </button>
          ))}
        </p>
      )}
      {advice && <p class="advice">{advice}</p>}
      {onRetry && <button type="button" onClick={onRetry}>Try again</button>}
      {members.length > 0 && (
        <dl>
          {members.map(({ label, text }) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd class="mono">{text}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}
