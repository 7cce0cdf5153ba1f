/**
 * Colours for light and dark pages.
 *
 * They are classes with plain rules, without variables, so that programs other than browsers draw them too.
 *
 * @module
 */

const LIGHT = [
  "#0969da",
  "#bc4c00",
  "#1a7f37",
  "#8250df",
  "#bf3989",
  "#7d4e00",
  "#0a7d91",
  "#cf222e",
  "#57606a",
  "#4d7c0f",
  "#5b3cc4",
  "#9d174d",
];
const DARK = [
  "#58a6ff",
  "#ffa657",
  "#56d364",
  "#d2a8ff",
  "#ff9bce",
  "#e3b341",
  "#39c5cf",
  "#ff7b72",
  "#b1bac4",
  "#a3e635",
  "#a5b4fc",
  "#fda4af",
];

const rules = (
  colours: readonly string[],
  { ink, soft, grid, page, positive, negative, on }: Readonly<Record<string, string>>,
) =>
  `text { fill: ${ink}; } .soft { fill: ${soft}; } .page { fill: ${page}; } .on { fill: ${on}; }
.grid { stroke: ${grid}; } .axis { stroke: ${soft}; } .outline { stroke: ${grid}; fill: none; }
.cut { stroke: ${ink}; } .positive { fill: ${positive}; } .negative { fill: ${negative}; } .bare { fill: ${grid}; }
` + colours.map((colour, i) =>
    `.f${i} { fill: ${colour}; } .l${i} { stroke: ${colour}; }`
  ).join("\n");

/** The style of every picture. */
export const STYLE =
  `text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
.title { font-size: 17px; font-weight: 600; } .small { font-size: 12px; } .tiny { font-size: 11px; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; } .grid, .axis, .cut { stroke-width: 1; }
${
    rules(LIGHT, {
      ink: "#1f2328",
      soft: "#57606a",
      grid: "#d0d7de",
      page: "#ffffff",
      positive: "#0550ae",
      negative: "#953800",
      on: "#ffffff",
    })
  }
@media (prefers-color-scheme: dark) {
${
    rules(DARK, {
      ink: "#e6edf3",
      soft: "#9da7b1",
      grid: "#3d444d",
      page: "#0d1117",
      positive: "#79c0ff",
      negative: "#ffa657",
      on: "#0d1117",
    })
  }
}`;

/** Colours that models are told apart by; beyond as many they repeat. */
export const COLOURS = LIGHT.length;
