/**
 * The frame of every picture: its title, its values on hover and by the keyboard, its table, and its downloads.
 *
 * @module
 */
import type { ComponentChildren, TargetedKeyboardEvent, TargetedPointerEvent } from "preact";
import { useId, useMemo, useRef, useState } from "preact/hooks";
import { firstMark, type Mark, type Marks, nearestMark, type Place, stepMark } from "./marks.ts";
import { saveFile } from "./save_file.ts";
import { standaloneSvg } from "./standalone_svg.ts";
import { csvOf, type Table } from "./table.ts";
import { TableView } from "./table_view.tsx";
import { useWidth } from "./use_width.ts";

/** A drawn picture, in pixels. */
export interface Drawing {
  readonly height: number;
  readonly body: ComponentChildren;
  /** What can be pointed at, in rows that the arrow keys walk. */
  readonly marks: Marks;
}

/** What stands around a picture. */
export interface FigureText {
  readonly title: string;
  /** A sentence on what is seen. */
  readonly note?: ComponentChildren;
  /** Name of the downloads, without ending. */
  readonly file: string;
}

interface FigureProps extends FigureText {
  readonly table: Table;
  draw(width: number): Drawing;
  /** Is told where the pointer is dragged, in pixels. */
  readonly onDrag?: (x: number, width: number) => void;
  /** Controls of this picture. */
  readonly children?: ComponentChildren;
}

/** The frame. */
export function Figure({ title, note, file, table, draw, onDrag, children }: FigureProps) {
  const id = useId();
  const [box, width] = useWidth<HTMLDivElement>();
  const svg = useRef<SVGSVGElement>(null);
  const [place, setPlace] = useState<Place>();
  const [byKeys, setByKeys] = useState(false);
  const [asTable, setAsTable] = useState(false);
  const drawing = useMemo(() => width > 0 ? draw(width) : undefined, [width, draw]);
  const marks = drawing?.marks ?? [];
  const mark = place && marks[place.row]?.[place.column];

  const point = (event: TargetedPointerEvent<HTMLElement>) => {
    const frame = svg.current?.getBoundingClientRect();
    if (!frame) return;
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    if (onDrag && event.buttons === 1) onDrag(x, width);
    setByKeys(false);
    setPlace(nearestMark(marks, x, y));
  };
  const press = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const { key } = event;
    if (key !== "Escape" && stepMark(marks, place, key) === undefined) return;
    event.preventDefault();
    setByKeys(true);
    // Keys may come faster than pictures are drawn.
    setPlace((before) => key === "Escape" ? undefined : stepMark(marks, before, key));
  };
  return (
    <figure class="figure" aria-labelledby={`${id}-title`}>
      <figcaption>
        <h3 id={`${id}-title`}>{title}</h3>
        {note && <p class="quiet">{note}</p>}
      </figcaption>
      {children && <div class="figure-controls">{children}</div>}
      <div ref={box} class="figure-box">
        {!asTable && drawing && (
          <div
            class="figure-picture"
            tabIndex={0}
            role="application"
            aria-roledescription="chart"
            aria-labelledby={`${id}-title`}
            aria-describedby={`${id}-keys`}
            onPointerMove={point}
            onPointerDown={point}
            onPointerLeave={() => setPlace(undefined)}
            onFocus={(event) => {
              if (!event.currentTarget.matches(":focus-visible")) return;
              setByKeys(true);
              setPlace((before) => before ?? firstMark(marks));
            }}
            onBlur={() => setPlace(undefined)}
            onKeyDown={press}
          >
            <svg
              ref={svg}
              class="chart"
              width={width}
              height={drawing.height}
              viewBox={`0 0 ${width} ${drawing.height}`}
              aria-hidden="true"
            >
              {drawing.body}
              {mark && <Ring mark={mark} />}
            </svg>
            {mark && <Readout mark={mark} width={width} />}
          </div>
        )}
        {asTable && <TableView table={table} label={title} />}
      </div>
      <p id={`${id}-keys`} class="heard">Arrow keys walk through the values.</p>
      <p class="heard" aria-live="polite">{byKeys && mark ? mark.lines.join(", ") : ""}</p>
      <div class="figure-tools">
        <button
          type="button"
          class="plain"
          aria-pressed={asTable}
          onClick={() => setAsTable(!asTable)}
        >
          Table
        </button>
        <button
          type="button"
          class="plain"
          onClick={() => saveFile(`${file}.csv`, new Blob([csvOf(table)], { type: "text/csv" }))}
        >
          CSV
        </button>
        <button
          type="button"
          class="plain"
          disabled={asTable}
          onClick={() => {
            if (!svg.current) return;
            const text = standaloneSvg(svg.current, title);
            saveFile(`${file}.svg`, new Blob([text], { type: "image/svg+xml" }));
          }}
        >
          SVG
        </button>
      </div>
    </figure>
  );
}

/** What is pointed at. */
function Ring({ mark: { x, y, box } }: { readonly mark: Mark }) {
  return box ? <rect class="ring" {...box} rx={2} /> : <circle class="ring" cx={x} cy={y} r={7} />;
}

/** The values of what is pointed at. */
function Readout({ mark, width }: { readonly mark: Mark; readonly width: number }) {
  const [first, ...rest] = mark.lines;
  const side = mark.x > width / 2 ? { right: `${width - mark.x + 10}px` } : {
    left: `${mark.x + 10}px`,
  };
  return (
    <div class="readout" aria-hidden="true" style={{ top: `${mark.y}px`, ...side }}>
      <strong>{first}</strong>
      {rest.map((line) => <div key={line}>{line}</div>)}
    </div>
  );
}
