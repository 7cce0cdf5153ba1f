/**
 * What all views share: where work is done, the visitor's key, and the sources that were named.
 *
 * @module
 */
import { type ComponentChildren, createContext } from "preact";
import { useContext, useMemo, useRef, useState } from "preact/hooks";
import { KeyEntry } from "./frame/key_entry.tsx";
import { askingKey } from "./service/ask_key.ts";
import { inBrowser } from "./service/in_browser.ts";
import { overNetwork } from "./service/over_network.ts";
import type { Place, Send } from "./service/service.ts";
import type { EngineName } from "../../../core/engine/engine_name.ts";
import type { NamedSource } from "./sources/named_source.ts";

/** What all views share. */
export interface Session {
  readonly place: Place;
  setPlace(place: Place): void;
  /** The bearer key; kept in memory only. */
  readonly key: string | undefined;
  setKey(key: string | undefined): void;
  /** Sends to where work is done now; asks the visitor for a key where the service wants one. */
  readonly send: Send;
  /** Sends to a place, wherever work is done now. */
  readonly sends: Readonly<Record<Place, Send>>;
  /** What merges in this browser run on. */
  readonly engine: EngineName;
  setEngine(engine: EngineName): void;
  /** The sources that were named, in their order; every view may use them. */
  readonly sources: readonly NamedSource[];
  setSources(change: (before: readonly NamedSource[]) => readonly NamedSource[]): void;
}

const Shared = createContext<Session | undefined>(undefined);

/** A question for the key that is open, and who waits for its answer. */
interface KeyQuestion {
  readonly asked: Promise<boolean>;
  answer(isEntered: boolean): void;
}

/** Gives the session to everything inside. */
export function SessionProvider({ children }: { readonly children: ComponentChildren }) {
  const [place, setPlace] = useState<Place>("service");
  const [key, keepKey] = useState<string>();
  const [sources, setSources] = useState<readonly NamedSource[]>([]);
  const [isAsked, setIsAsked] = useState(false);
  const latest = useRef<string | undefined>(undefined);
  const [engine, keepEngine] = useState<EngineName>("auto");
  const browser = useMemo(() => inBrowser(), []);
  const question = useRef<KeyQuestion | undefined>(undefined);
  const setKey = (next: string | undefined) => {
    latest.current = next;
    keepKey(next);
  };
  const sends = useMemo<Record<Place, Send>>(() => {
    const ask = () => {
      const { promise: asked, resolve: answer } = Promise.withResolvers<boolean>();
      question.current ??= { asked, answer };
      setIsAsked(true);
      return question.current.asked;
    };
    return {
      service: askingKey(overNetwork(() => latest.current), ask),
      browser: browser.send,
    };
  }, []);
  const onKey = (entered: string | undefined) => {
    if (entered !== undefined) setKey(entered);
    setIsAsked(false);
    question.current?.answer(entered !== undefined);
    question.current = undefined;
  };
  const session: Session = {
    place,
    setPlace,
    key,
    setKey,
    send: sends[place],
    sends,
    engine,
    setEngine(next) {
      browser.setEngine(next);
      keepEngine(next);
    },
    sources,
    setSources,
  };
  return (
    <Shared.Provider value={session}>
      {children}
      <KeyEntry open={isAsked} isWrong={key !== undefined} onKey={onKey} />
    </Shared.Provider>
  );
}

/** The session. */
export function useSession(): Session {
  const session = useContext(Shared);
  if (!session) throw new Error("Cannot use the session outside of its provider");
  return session;
}
