/**
 * The session's sources in a line: files can be added and any source taken away.
 *
 * @module
 */
import { FileDrop } from "../parts/file_drop.tsx";
import { formatBytes } from "../parts/format_bytes.ts";
import { ByAddress } from "../sources/source_adder.tsx";
import { placeOf } from "../sources/named_source.ts";
import { useSources } from "../sources/use_sources.ts";

/** The line. */
export function SourceBar({ label, hint }: { readonly label: string; readonly hint: string }) {
  const { sources, addFiles, remove } = useSources();
  return (
    <div class="source-bar">
      <FileDrop label={label} onFiles={(files) => void addFiles(files)}>{hint}</FileDrop>
      <details>
        <summary>By address, or from what is kept</summary>
        <ByAddress />
      </details>
      {sources.length > 0 && (
        <ul class="chips" aria-label="Sources">
          {sources.map((source) => {
            const { name, outline, origin } = source;
            const bytes = origin.type === "file" ? origin.file.size : outline?.bytes;
            return (
              <li key={name} title={placeOf(source)}>
                <span class="mono">{name}</span>
                {bytes !== undefined && <span class="quiet">{formatBytes(bytes)}</span>}
                <button type="button" class="plain" onClick={() => remove(name)}>
                  <span aria-hidden="true">×</span>
                  <span class="heard">Take {name} away</span>
                </button>
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}
