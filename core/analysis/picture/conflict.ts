/**
 * Which models and which tensors are at odds.
 *
 * @module
 */
import type { Analysis } from "../answer.ts";
import { percent } from "./axis.ts";
import { COLOURS } from "./style.ts";
import { element, fittedText, hover, MARGIN, type Picture, text, WIDTH } from "./svg.ts";

const ROW = 26;
const NAMES = 330;
const VALUE = 60;
/** How many tensors are listed. */
const LISTED = 12;

/** Draws agreement by model, and the tensors with the largest share of outvoted magnitude. */
export function conflictPicture(analysis: Analysis): Picture {
  const { models, total, tensors, operand } = analysis;
  const title = `Sign conflict between ${operand === "weights" ? "weights" : "task vectors"}`;
  const agreement = models.map((name, i): Bar => ({
    name,
    share: total.sign_agreement.magnitude[i]!,
    look: `f${i % COLOURS}`,
  }));
  const worst = [...tensors].sort((a, b) => b.conflict.mass - a.conflict.mass).slice(0, LISTED);
  const second = 96 + models.length * ROW + 40;
  return {
    title,
    height: second + 14 + worst.length * ROW + 24,
    body: [
      text(MARGIN, 34, title, { class: "title" }),
      text(
        MARGIN,
        56,
        `In all, ${
          percent(total.conflict.mass)
        } of the magnitude is outvoted; models disagree on ` +
          `${percent(total.conflict.elements)} of the elements.`,
        { class: "soft" },
      ),
      text(MARGIN, 86, "Magnitude that agrees with the elected sign, by model", {}),
      ...bars(agreement, 96),
      text(
        MARGIN,
        second,
        tensors.length > LISTED
          ? `Outvoted magnitude, the ${LISTED} tensors with most of it`
          : "Outvoted magnitude, by tensor",
        {},
      ),
      ...bars(
        worst.map(({ name, conflict }) => ({ name, share: conflict.mass, look: "negative" })),
        second + 10,
      ),
    ],
  };
}

/** One bar of a list. */
interface Bar {
  readonly name: string;
  readonly share: number | null;
  readonly look: string;
}

/** Bars on a scale from 0 to 1, with the number behind each. */
function bars(list: readonly Bar[], top: number): string[] {
  const left = MARGIN + NAMES;
  const room = WIDTH - MARGIN - VALUE - left;
  return list.flatMap(({ name, share, look }, i) => {
    const y = top + i * ROW;
    const width = room * (share ?? 0);
    return [
      fittedText(left - 12, y + 17, name, NAMES - 14, { "text-anchor": "end" }),
      element("rect", {
        x: left,
        y: y + 4,
        width: room,
        height: ROW - 8,
        class: "bare",
        "fill-opacity": 0.35,
      }),
      element("rect", {
        x: left,
        y: y + 4,
        width,
        height: ROW - 8,
        class: look,
        "fill-opacity": 0.8,
      }, [
        hover(`${name}: ${share === null ? "undefined" : share.toFixed(6)}`),
      ]),
      text(WIDTH - MARGIN, y + 17, share === null ? "–" : percent(share), {
        "text-anchor": "end",
      }),
    ];
  });
}
