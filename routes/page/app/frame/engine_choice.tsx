/**
 * What merges in this browser run on.
 *
 * @module
 */
import type { EngineName } from "../../../../core/engine/engine_name.ts";
import { useSession } from "../session.tsx";

const CHOICES: readonly { readonly engine: EngineName; readonly title: string }[] = [
  { engine: "auto", title: "Fastest engine" },
  { engine: "wasm", title: "ONNX Runtime, WebAssembly" },
  { engine: "webgpu", title: "ONNX Runtime, WebGPU" },
];

/** The choice of the engine; merges that run go on as they are. */
export function EngineChoice() {
  const { engine, setEngine } = useSession();
  return (
    <select
      class="engine-choice"
      aria-label="Engine in this browser"
      value={engine}
      onChange={(event) => {
        const chosen = CHOICES.find(({ engine }) => engine === event.currentTarget.value);
        if (chosen) setEngine(chosen.engine);
      }}
    >
      {CHOICES.map(({ engine, title }) => <option key={engine} value={engine}>{title}</option>)}
    </select>
  );
}
