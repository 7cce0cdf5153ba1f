/**
 * Norms and sign conflict over the depth of the model.
 *
 * @module
 */
import type { Analysis, LayerSummary } from "../answer.ts";
import { type Axis, numberLabel, percent, roundAxis } from "./axis.ts";
import { legend, lineLook } from "./legend.ts";
import { COLOURS } from "./style.ts";
import { element, fit, hover, MARGIN, type Picture, text, textWidth, WIDTH } from "./svg.ts";

const LEFT = 84;
const PANEL = 190;
const GAP = 52;
const SLANTED = 92;
const FLAT = 44;
/** Horizontal room that a slanted label needs. */
const LABEL_STEP = 20;
const WIDEST_BAR = 44;

/** Draws both profiles. */
export function layersPicture({ models, layers, operand }: Analysis): Picture {
  const what = operand === "weights" ? "weights" : "task vectors";
  const title = `Norm and sign conflict of the ${what} by layer`;
  const { parts, height } = legend(models, 52);
  const top = 52 + height + 40;
  const conflict = top + PANEL + GAP;
  const step = (WIDTH - MARGIN - LEFT) / Math.max(layers.length, 1);
  const place = (i: number) => LEFT + (i + 0.5) * step;
  const names = shortNames(layers);
  const flat = names.every((name) => textWidth(name) <= step - 6);
  const axis = {
    names,
    flat,
    top: conflict + PANEL,
    bottom: conflict + PANEL + (flat ? FLAT : SLANTED),
  };
  return {
    title,
    height: axis.bottom + 12,
    body: [
      text(MARGIN, 34, title, { class: "title" }),
      ...parts,
      ...normPanel(models, layers, top, place),
      ...conflictPanel(layers, conflict, step, place),
      ...layerLabels(axis, step, place),
    ],
  };
}

function normPanel(
  models: readonly string[],
  layers: readonly LayerSummary[],
  top: number,
  place: (layer: number) => number,
): string[] {
  const norms = layers.map((layer) => layer.norms.task_vectors);
  const axis = roundAxis(0, Math.max(0, ...norms.flat()), [top + PANEL, top]);
  const lines = models.flatMap((name, model) => {
    const points = norms.map((norm, i) => ({ x: place(i), y: axis.at(norm[model]!), i }));
    return [
      element("polyline", {
        points: points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" "),
        ...lineLook(model),
      }),
      ...points.map(({ x, y, i }) =>
        element("circle", { cx: x, cy: y, r: 3, class: `f${model % COLOURS}` }, [
          hover(`${name}, ${layers[i]!.name}: ${numberLabel(norms[i]![model]!)}`),
        ])
      ),
    ];
  });
  return [...frame(axis, top, "Frobenius norm", numberLabel), ...lines];
}

function conflictPanel(
  layers: readonly LayerSummary[],
  top: number,
  step: number,
  place: (layer: number) => number,
): string[] {
  const most = Math.max(0.01, ...layers.flatMap(({ conflict }) => [conflict.mass]));
  const axis = roundAxis(0, most, [top + PANEL, top]);
  const width = Math.max(Math.min(step * 0.7, WIDEST_BAR), 1);
  const bars = layers.map(({ name, conflict }, i) => {
    const y = axis.at(conflict.mass);
    return element("rect", {
      x: place(i) - width / 2,
      y,
      width,
      height: top + PANEL - y,
      class: "negative",
      "fill-opacity": 0.75,
    }, [
      hover(
        `${name}: ${percent(conflict.mass)} of the magnitude has not the elected sign; ` +
          `models disagree on ${percent(conflict.elements)} of the elements`,
      ),
    ]);
  });
  return [...frame(axis, top, "Magnitude against the elected sign", percent), ...bars];
}

/** Grid, ticks, and what is shown. */
function frame(axis: Axis, top: number, label: string, write: (value: number) => string): string[] {
  return [
    ...axis.ticks.flatMap((tick) => [
      element("line", {
        x1: LEFT,
        x2: WIDTH - MARGIN,
        y1: axis.at(tick),
        y2: axis.at(tick),
        class: tick === 0 ? "axis" : "grid",
      }),
      text(LEFT - 8, axis.at(tick) + 4, write(tick), { "text-anchor": "end", class: "soft small" }),
    ]),
    text(LEFT, top - 12, label, { class: "soft" }),
  ];
}

/** The names of layers below the panels. */
interface LayerAxis {
  readonly names: readonly string[];
  /** Whether all have room side by side. */
  readonly flat: boolean;
  readonly top: number;
  readonly bottom: number;
}

/** Slanted where they have no room side by side, and then only as many as stay apart. */
function layerLabels(
  { names, flat, top, bottom }: LayerAxis,
  step: number,
  place: (layer: number) => number,
): string[] {
  const every = flat ? 1 : Math.ceil(LABEL_STEP / step);
  const labels = names.flatMap((label, i) => {
    if (i % every !== 0) return [];
    const x = place(i);
    if (flat) return [text(x, top + 18, label, { "text-anchor": "middle", class: "small" })];
    return [
      element("g", { transform: `translate(${x.toFixed(1)} ${top + 14}) rotate(-40)` }, [
        text(4, 4, fit(label, 96), { "text-anchor": "end", class: "small" }),
      ]),
    ];
  });
  return [
    ...labels,
    text((LEFT + WIDTH - MARGIN) / 2, bottom - 4, "layer, from input to output", {
      "text-anchor": "middle",
      class: "soft",
    }),
  ];
}

/** Names without what all of several layers begin with. */
function shortNames(layers: readonly LayerSummary[]): string[] {
  const containers = new Set(layers.flatMap(({ name }) => /^(.*)\.\d+$/.exec(name)?.[1] ?? []));
  return layers.map(({ name }) => {
    const block = /^(.*)\.(\d+)$/.exec(name);
    if (block && containers.size === 1) return block[2]!;
    return name.slice(block ? 0 : name.lastIndexOf(".") + 1);
  });
}
