/**
 * Where work is done, and on what engine.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";
import type { Place } from "../service/service.ts";
import { EngineChoice } from "./engine_choice.tsx";
import { useSession } from "../session.tsx";

/** What `GET /engine` answers. */
interface EngineInfo {
  readonly name: string;
  readonly adapter?: string;
  readonly software?: boolean;
  readonly fallback?: string;
  readonly width?: number;
}

const PLACES: readonly { readonly place: Place; readonly title: string }[] = [
  { place: "service", title: "In the service" },
  { place: "browser", title: "In this browser" },
];

const ENGINES: Readonly<Record<string, string>> = {
  fused: "fused WebAssembly",
  wasm: "ONNX Runtime on WebAssembly",
  webgpu: "ONNX Runtime on WebGPU",
};

/** The engine in words, such as `fused WebAssembly, 4 threads`. */
export function engineText({ name, adapter, software, width }: EngineInfo): string {
  const parts = [ENGINES[name] ?? name];
  if (name === "webgpu" && adapter) {
    parts.push(software ? `${adapter} (a program on the processor)` : adapter);
  }
  if (width !== undefined && width > 1) parts.push(`${width} threads`);
  return parts.join(", ");
}

/** The choice of the place. */
export function PlaceSwitch() {
  const { place, setPlace, send, key, engine: asked } = useSession();
  const [engine, setEngine] = useState<EngineInfo>();
  useEffect(() => {
    let isOver = false;
    setEngine(undefined);
    send({ method: "GET", path: "/engine" })
      .then((answer) => answer.json())
      .then((found: EngineInfo) => isOver || setEngine(found))
      // The views say why the service does not answer.
      .catch(() => {});
    return () => {
      isOver = true;
    };
  }, [place, key, asked]);
  return (
    <fieldset class="place-switch">
      <legend class="heard">Where work is done</legend>
      <div class="choices">
        {PLACES.map(({ place: value, title }) => (
          <label key={value} class={value === place ? "chosen" : undefined}>
            <input
              type="radio"
              name="place"
              value={value}
              checked={value === place}
              onChange={() =>
                setPlace(value)}
            />
            {title}
          </label>
        ))}
      </div>
      {place === "browser" && <EngineChoice />}
      <span class="quiet engine" role="status" title={engine?.fallback}>
        {engine ? engineText(engine) : ""}
        {engine?.fallback && `, not WebGPU: ${engine.fallback}`}
      </span>
    </fieldset>
  );
}
