/**
 * The frame of the page: where it runs, the views, and which of them is open.
 *
 * The address holds the open view behind a `#`, so that it can be shared and the browser's buttons work.
 *
 * @module
 */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { PlaceSwitch } from "./frame/place_switch.tsx";
import { ThemeChoice } from "./frame/theme.tsx";
import { useSession } from "./session.tsx";
import { AnalyzeView } from "./views/analyze/mod.tsx";
import { AtmView } from "./views/atm/mod.tsx";
import { CheckpointsView } from "./views/checkpoints/mod.tsx";
import { JobsView } from "./views/jobs/mod.tsx";
import { MergeView } from "./views/merge/mod.tsx";

interface View {
  /** What stands in the address. */
  readonly name: string;
  readonly title: string;
  readonly Body: ComponentType;
}

const VIEWS: readonly View[] = [
  { name: "merge", title: "Merge", Body: MergeView },
  { name: "analyze", title: "Analyze", Body: AnalyzeView },
  { name: "atm", title: "ATM rounds", Body: AtmView },
  { name: "checkpoints", title: "Checkpoints", Body: CheckpointsView },
  { name: "jobs", title: "Jobs", Body: JobsView },
];

/** The view that the address names; the first if none. What follows a `?` belongs to the view. */
function openView(): View {
  const name = /^#\/([^?]*)/.exec(location.hash)?.[1];
  return VIEWS.find((view) => view.name === name) ?? VIEWS[0]!;
}

/** The whole page. Views stay mounted once open, so that work goes on while another is looked at. */
export function App() {
  const { key, setKey } = useSession();
  const [view, setView] = useState(openView);
  const [seen, setSeen] = useState<ReadonlySet<string>>(new Set([view.name]));
  useEffect(() => {
    const changed = () => {
      const next = openView();
      setView(next);
      setSeen((before) => new Set([...before, next.name]));
      document.title = `${next.title} · amalgam`;
    };
    addEventListener("hashchange", changed);
    // It may have changed before anyone listened.
    changed();
    return () => removeEventListener("hashchange", changed);
  }, []);
  return (
    <>
      <header class="frame">
        <a class="name" href="#/merge">amalgam</a>
        <nav aria-label="Views">
          {VIEWS.map(({ name, title }) => (
            <a key={name} href={`#/${name}`} aria-current={name === view.name ? "page" : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <div class="settings">
          <PlaceSwitch />
          {key !== undefined && (
            <button
              type="button"
              class="small"
              onClick={() => setKey(undefined)}
            >
              Forget the key
            </button>
          )}
          <ThemeChoice />
        </div>
      </header>
      <main id="main">
        {VIEWS.filter(({ name }) => seen.has(name)).map(({ name, title, Body }) => (
          <section key={name} aria-label={title} hidden={name !== view.name}>
            <Body />
          </section>
        ))}
      </main>
    </>
  );
}
