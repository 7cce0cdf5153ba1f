import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { Analysis } from "../../core/analysis/answer.ts";
import { analysisCsv } from "../../core/analysis/csv.ts";
import { numberLabel, percent, roundAxis } from "../../core/analysis/picture/axis.ts";
import { PICTURE_NAMES } from "../../core/analysis/picture/names.ts";
import { drawPicture } from "../../core/analysis/picture/picture.ts";
import { escaped, fit, textWidth, WIDTH } from "../../core/analysis/picture/svg.ts";
import { analyzed } from "../support/analyzing.ts";
import { xmlElements } from "../support/xml.ts";

const HOSTILE = [
  "<script>alert(1)</script>",
  `"quoted" & 'odd'`,
  "]]><!-- \u0007 \ud800 -->",
  "=cmd()",
  "organisation-with-a-long-name/a-model-with-a-very-long-name-v0.1-instruct",
  "モデルの名前がとても長いので短くしなければならない場合の例",
];

/** Analyses of `count` models of `layers` layers. */
async function sample(count: number, layers: number): Promise<Analysis> {
  const checkpoint = (seed: number) =>
    Object.fromEntries([
      ["model.embed_tokens.weight", [seed, 1, seed % 3]],
      ...Array.from({ length: layers }, (_, i) => [
        `model.layers.${i}.a_submodule_whose_name_is_long.<b>&"projection".weight`,
        [(seed * 7 + i) % 5 - 2, (seed * 3 + i) % 7 - 3, i / 8],
      ]),
    ]);
  const names = Array.from({ length: count }, (_, i) => `model ${i}`);
  return await analyzed({
    base: checkpoint(0),
    ...Object.fromEntries(names.map((name, i) => [name, checkpoint(i + 1)])),
  });
}

const lonely = withHostileNames(await sample(1, 1));
const two = withHostileNames(await sample(2, 3));
const many = withHostileNames(await sample(12, 80));

Deno.test("every picture is well-formed, with hostile names as text", () => {
  for (const analysis of [lonely, two, many]) {
    for (const name of PICTURE_NAMES) {
      const svg = drawPicture(analysis, name);
      const elements = xmlElements(svg);
      assertEquals(elements.filter((element) => /script|foreign/i.test(element.name)), []);
      const attributes = new Set(elements.flatMap((each) => Object.keys(each.attributes)));
      assertEquals([...attributes].filter((key) => /^on|href/.test(key)), []);
      assert(svg.includes("prefers-color-scheme: dark"));
      assert(
        !/NaN|Infinity|undefined/.test(
          elements.flatMap((each) => Object.values(each.attributes)).join(),
        ),
      );
    }
  }
  assertStringIncludes(drawPicture(two, "conflict"), "&lt;script&gt;alert(1)&lt;/script&gt;");
});

/** Names that no recipe may have, as other callers of the library may. */
function withHostileNames(analysis: Analysis): Analysis {
  return { ...analysis, models: analysis.models.map((name, i) => HOSTILE[i] ?? name) };
}

Deno.test("an analysis of nothing, of zeros and of one element is drawn all the same", async () => {
  const w = [1, 2];
  const empty = await analyzed({ base: { w }, a: { w } }, {
    document: { tensors: { exclude: ["*"] } },
  });
  assertEquals([empty.total.elements, empty.tensors, empty.layers], [0, [], []]);
  const zeros = await analyzed({ base: { w }, a: { w }, b: { w } });
  const single = await analyzed({ base: { w: [0] }, a: { w: [1e-45] } });
  for (const analysis of [empty, zeros, single]) {
    for (const name of PICTURE_NAMES) {
      const svg = drawPicture(analysis, name);
      assert(!/NaN|Infinity/.test(svg), name);
      xmlElements(svg);
    }
    analysisCsv(analysis);
  }
});

Deno.test("no text leaves the picture, nor do cells and bars", () => {
  for (const analysis of [two, many]) {
    for (const name of PICTURE_NAMES) {
      for (const { name: tag, attributes, text } of xmlElements(drawPicture(analysis, name))) {
        const x = Number(attributes.x ?? 0);
        if (tag === "rect") assert(x >= 0 && x + Number(attributes.width) <= WIDTH + 0.5);
        if (tag !== "text" || attributes.x === "4") continue;
        // The width is an upper bound, and titles are larger.
        const width = textWidth(text) * (attributes.class === "title" ? 1.2 : 0.95);
        const anchor = attributes["text-anchor"];
        const left = anchor === "end" ? x - width : anchor === "middle" ? x - width / 2 : x;
        assert(
          left >= -8 && left + width <= WIDTH + 8,
          `${text} lies at ${left} to ${left + width}`,
        );
      }
    }
  }
});

Deno.test("texts of one line do not overlap in the heat map", () => {
  const lines = new Map<string, { left: number; right: number }[]>();
  for (const { name, attributes, text } of xmlElements(drawPicture(many, "cosines"))) {
    if (name !== "text") continue;
    const size = attributes.class?.includes("tiny")
      ? 0.8
      : attributes.class?.includes("title")
      ? 1.3
      : 0.95;
    const width = textWidth(text) * size;
    const x = Number(attributes.x);
    const anchor = attributes["text-anchor"];
    const left = anchor === "end" ? x - width : anchor === "middle" ? x - width / 2 : x;
    const line = lines.get(attributes.y!) ?? [];
    line.push({ left, right: left + width });
    lines.set(attributes.y!, line);
  }
  for (const line of lines.values()) {
    line.sort((a, b) => a.left - b.left);
    line.forEach(({ left }, i) => assert(i === 0 || left >= line[i - 1]!.right - 2));
  }
});

Deno.test("the heat map shows every cosine", () => {
  const texts = xmlElements(drawPicture(two, "cosines")).filter(({ name }) => name === "text")
    .map(({ text }) => text);
  for (const row of two.total.cosines) {
    for (const cosine of row) assert(texts.includes(cosine!.toFixed(2).replace("-", "−")));
  }
  // A title element with the exact number shows on hover.
  const hovers = xmlElements(drawPicture(two, "cosines")).filter(({ name }) => name === "title");
  assert(hovers.some(({ text }) => text.endsWith(two.total.cosines[0]![1]!.toFixed(6))));
});

Deno.test("a bar is as long as its share, a norm as high as its value", () => {
  const elements = xmlElements(drawPicture(two, "conflict")).filter(({ name }) => name === "rect");
  const room = Number(
    elements.find(({ attributes }) => attributes.class === "bare")!.attributes.width,
  );
  const bars = elements.filter(({ attributes }) => /^f\d/.test(attributes.class ?? ""));
  bars.forEach(({ attributes }, i) => {
    const wanted = two.total.sign_agreement.magnitude[i]! * room;
    assert(Math.abs(Number(attributes.width) - wanted) < 0.01);
  });
  assertEquals(bars.length, 2);
});

Deno.test("names are shortened in the middle and characters that XML forbids are replaced", () => {
  const long = "model.layers.11.self_attn.q_proj.weight";
  const short = fit(long, 150);
  assert(textWidth(short) <= 150);
  assert(short.startsWith("model.") && short.endsWith("weight") && short.includes("…"), short);
  assertEquals(fit("short", 150), "short");
  assertEquals(escaped(`a<b>&"\u0000\ud800\uffff`), `a&lt;b&gt;&amp;&quot;\ufffd\ufffd\ufffd`);
});

Deno.test("axes have round ticks that cover their values", () => {
  assertEquals(roundAxis(0, 0.87, [100, 0]).ticks, [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assertEquals(roundAxis(0, 0.87, [100, 0]).at(1), 0);
  assertEquals(roundAxis(0, 0, [100, 0]).ticks[0], 0);
  assertEquals([0, 12345, 0.000123, 123456, -0.5].map(numberLabel), [
    "0",
    "12300",
    "1.23e−4",
    "1.23e5",
    "−0.5",
  ]);
  assertEquals([0, 0.004, 0.0456, 0.5, 1].map(percent), ["0 %", "0.4 %", "4.6 %", "50 %", "100 %"]);
});

Deno.test("the table has a row for every model of every part, and quotes what it must", () => {
  const rows = parseCsv(analysisCsv(two));
  const parts = 1 + two.layers.length + two.tensors.length;
  assertEquals(rows.length, 1 + 2 * parts);
  assertEquals(new Set(rows.map((row) => row.length)).size, 1);
  const [head, first] = rows;
  const column = (name: string) => head!.indexOf(name);
  assertEquals(first![column("model")], HOSTILE[0]);
  assertEquals(rows[2]![column("model")], HOSTILE[1]);
  assertEquals(Number(first![column("norm_task_vector")]), two.total.norms.task_vectors[0]);
  assertEquals(Number(first![column("conflict_mass")]), two.total.conflict.mass);
  assertEquals(Number(first![column(`cosine ${HOSTILE[1]}`)]), two.total.cosines[0]![1]);
  assertEquals(Number(first![column("quantile 0.5")]), two.total.quantiles[0]![9]);
});

/** Reads a table (RFC 4180). */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (
    const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)
  ) {
    row.push(quoted?.replaceAll('""', '"') ?? plain!);
    if (end === ",") continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

Deno.test("the reader of the tests refuses what is no XML", () => {
  for (
    const text of [
      "<a>",
      "<a></b>",
      "<a>&</a>",
      "<a b=c/>",
      "<a/><b/>",
      "<a b='1'/>",
      "x",
      "<a>\u0001</a>",
    ]
  ) {
    assertThrows(() => xmlElements(text), Error);
  }
});
