/**
 * What views do with the sources of the session: add, name, remove; headers are read at once.
 *
 * @module
 */
import { useRef } from "preact/hooks";
import { useSession } from "../session.tsx";
import { inspect } from "./inspect.ts";
import type { NamedSource, Origin } from "./named_source.ts";
import { sourceName } from "./source_name.ts";
import { type DroppedFiles, sortFiles } from "./sort_files.ts";

/** The sources, and what can be done with them. */
export interface SourceActions {
  readonly sources: readonly NamedSource[];
  /** Adds checkpoints among files; answers what else was among them. */
  addFiles(files: readonly File[]): Pick<DroppedFiles, "recipes" | "configs">;
  /**
   * Adds one, under a name made of where it is unless one is given; a source of that name is replaced.
   *
   * @param rest Milliseconds after which its header is read, if it then still is the one: an address that is being typed
   * is not asked for at every key.
   */
  add(origin: Origin, name?: string, rest?: number): void;
  /** Gives an adapter its configuration. */
  setConfig(name: string, config: File): void;
  /** Renames one; nothing happens if the new name is taken or empty. */
  rename(name: string, next: string): void;
  remove(name: string): void;
}

/** The sources of the session and what can be done with them. */
export function useSources(): SourceActions {
  const { sources, setSources, send } = useSession();
  const latest = useRef(sources);
  latest.current = sources;

  function placeText(origin: Origin): string {
    switch (origin.type) {
      case "file":
        return origin.file.webkitRelativePath || origin.file.name;
      case "checkpoint":
        return origin.id.slice("sha256:".length, "sha256:".length + 12);
      case "url":
        return origin.url;
      case "hub":
        return origin.hub;
    }
  }

  /** Puts sources into the list and reads what is in them. */
  function put(added: readonly NamedSource[], rest = 0): void {
    setSources((before) => [
      ...before.filter(({ name }) => !added.some((source) => source.name === name)),
      ...added,
    ]);
    if (rest === 0) return added.forEach(read);
    setTimeout(() => {
      const isThere = ({ origin }: NamedSource) =>
        latest.current.some((source) => source.origin === origin);
      added.filter(isThere).forEach(read);
    }, rest);
  }

  function read(source: NamedSource): void {
    inspect(source, send).then((found) =>
      setSources((before) =>
        before.map((each) => each.origin === source.origin ? { ...each, ...found } : each)
      )
    );
  }

  return {
    sources,
    addFiles(files) {
      const { checkpoints, recipes, configs } = sortFiles(files);
      const taken = new Set(sources.map(({ name }) => name));
      const added = checkpoints.map(({ file, config, beside }): NamedSource => {
        const origin: Origin = {
          type: "file",
          file,
          ...(config ? { config } : {}),
          ...(beside ? { beside } : {}),
        };
        const name = sourceName(placeText(origin), taken);
        taken.add(name);
        return { name, origin };
      });
      put(added);
      return { recipes, configs };
    },
    add(origin, name, rest) {
      const taken = sources.map((source) => source.name);
      put([{ name: name ?? sourceName(placeText(origin), taken), origin }], rest);
    },
    setConfig(name, config) {
      setSources((before) =>
        before.map((source) =>
          source.name === name && source.origin.type === "file"
            ? { ...source, origin: { ...source.origin, config } }
            : source
        )
      );
    },
    rename(name, next) {
      setSources((before) =>
        next === "" || before.some((source) => source.name === next)
          ? before
          : before.map((source) => source.name === name ? { ...source, name: next } : source)
      );
    },
    remove(name) {
      setSources((before) => before.filter((source) => source.name !== name));
    },
  };
}
