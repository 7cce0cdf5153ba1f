import { assertRejects } from "@std/assert";
import { tensorOf } from "../../../core/onnx/element_type.ts";
import type { OnnxTensor } from "../../../core/onnx/model.ts";
import { drawn } from "../../onnx/normalize/same_results.ts";
import {
  checkGradients,
  checkWrittenOut,
  type Composite,
  modelOf,
  writtenOut,
} from "./written_out.ts";

const [TIME, BATCH, INPUT, HIDDEN] = [5, 2, 3, 4];
const GATES: Record<string, number> = { LSTM: 4, GRU: 3, RNN: 1 };

interface Options {
  directions?: number;
  bias?: boolean;
  initial?: boolean;
  peepholes?: boolean;
  lengths?: number[];
  attributes?: Composite["attributes"];
  time?: number;
}

function recurrent(operator: string, options: Options = {}): Composite {
  const { directions = 1, bias, initial, peepholes, lengths, time = TIME } = options;
  const gates = GATES[operator]!;
  const lstm = operator === "LSTM";
  const inputs: (OnnxTensor | undefined)[] = [
    drawn([time, BATCH, INPUT]),
    drawn([directions, gates * HIDDEN, INPUT], 1),
    drawn([directions, gates * HIDDEN, HIDDEN], 2),
    bias ? drawn([directions, 2 * gates * HIDDEN], 3) : undefined,
    lengths ? tensorOf("int32", [BATCH], lengths) : undefined,
    initial ? drawn([directions, BATCH, HIDDEN], 4) : undefined,
  ];
  if (lstm) {
    inputs.push(
      initial ? drawn([directions, BATCH, HIDDEN], 5) : undefined,
      peepholes ? drawn([directions, 3 * HIDDEN], 6) : undefined,
    );
  }
  const given = inputs.length - [...inputs].reverse().findIndex((tensor) => tensor);
  return {
    operator,
    inputs: inputs.slice(0, given),
    fixed: [4],
    outputs: lstm ? [0, 1, 2] : [0, 1],
    attributes: { hidden_size: HIDDEN, ...options.attributes },
    opset: 22,
  };
}

const DIRECTIONS: Record<string, Options> = {
  forward: {},
  reverse: { attributes: { direction: "reverse" } },
  bidirectional: { directions: 2, attributes: { direction: "bidirectional" } },
};

for (const operator of ["LSTM", "GRU", "RNN"]) {
  for (const [direction, options] of Object.entries(DIRECTIONS)) {
    for (const full of [false, true]) {
      Deno.test(`recurrent: ${operator}, ${direction}, ${full ? "all" : "few"} inputs`, async () => {
        const more = { bias: full, initial: full, peepholes: full };
        await checkWrittenOut(recurrent(operator, { ...options, ...more }), 2e-6);
      });
    }
  }

  Deno.test(`recurrent: ${operator}, one step, last state only`, async () => {
    await checkWrittenOut({ ...recurrent(operator, { time: 1, bias: true }), outputs: [1] }, 2e-6);
  });

  Deno.test(`recurrent: ${operator}, full sequences only`, async () => {
    const full = recurrent(operator, { lengths: [TIME, TIME] });
    await checkWrittenOut(full, 2e-6);
    const short = modelOf(recurrent(operator, { lengths: [TIME, 2] })).model;
    await assertRejects(() => writtenOut(short), Error, "sequence_lens");
  });
}

for (const resetAfter of [0, 1]) {
  for (const full of [false, true]) {
    Deno.test(`recurrent: GRU, linear_before_reset ${resetAfter}, ${full ? "all" : "few"} inputs`, async () => {
      await checkWrittenOut(
        recurrent("GRU", {
          directions: 2,
          bias: full,
          initial: full,
          attributes: { direction: "bidirectional", linear_before_reset: resetAfter },
        }),
        2e-6,
      );
    });
  }
}

Deno.test("recurrent: activations of the RNN by direction", async () => {
  const activations = { strings: ["Relu", "Sigmoid"] };
  const attributes = { direction: "bidirectional", activations };
  await checkWrittenOut(recurrent("RNN", { directions: 2, bias: true, attributes }), 2e-6);
});

Deno.test("recurrent: the default activations by name, in small letters", async () => {
  const activations = { strings: ["sigmoid", "tanh", "tanh"] };
  await checkWrittenOut(recurrent("LSTM", { attributes: { activations } }), 2e-6);
});

const REFUSED: Record<string, [Composite, string]> = {
  "other activations": [
    recurrent("LSTM", { attributes: { activations: { strings: ["Sigmoid", "Relu", "Tanh"] } } }),
    "its activations must be Sigmoid, Tanh, Tanh: Sigmoid, Relu, Tanh",
  ],
  "an activation with a parameter": [
    recurrent("RNN", { attributes: { activations: { strings: ["Softsign"] } } }),
    "its activation must be Tanh, Relu, Sigmoid: Softsign",
  ],
  "clipping": [recurrent("GRU", { attributes: { clip: { float: 1 } } }), "attribute clip"],
  "coupled gates": [recurrent("LSTM", { attributes: { input_forget: 1 } }), "input_forget"],
  "too many steps": [recurrent("RNN", { time: 1025 }), "at most 1024 steps: 1025"],
};

for (const [name, [one, says]] of Object.entries(REFUSED)) {
  Deno.test(`recurrent: refuses ${name}`, async () => {
    await assertRejects(() => writtenOut(modelOf(one).model), Error, says);
  });
}

/** A small node, since every number of its inputs is moved four times. */
function small(
  operator: string,
  attributes: Composite["attributes"],
  peepholes = false,
): Composite {
  const gates = GATES[operator]!;
  return {
    operator,
    inputs: [
      drawn([3, 1, 2]),
      drawn([2, gates * 2, 2], 1),
      drawn([2, gates * 2, 2], 2),
      drawn([2, gates * 4], 3),
      undefined,
      drawn([2, 1, 2], 4),
      ...(operator === "LSTM" ? [drawn([2, 1, 2], 5)] : []),
      ...(peepholes ? [drawn([2, 6], 6)] : []),
    ],
    outputs: operator === "LSTM" ? [0, 1, 2] : [0, 1],
    attributes: { hidden_size: 2, direction: "bidirectional", ...attributes },
    opset: 22,
  };
}

const SMALL: Record<string, Composite> = {
  "LSTM": small("LSTM", {}),
  "LSTM with peepholes": small("LSTM", {}, true),
  "GRU": small("GRU", {}),
  "GRU, reset after": small("GRU", { linear_before_reset: 1 }),
  "RNN": small("RNN", {}),
};

for (const [name, one] of Object.entries(SMALL)) {
  Deno.test(`recurrent: gradients of ${name}`, async () => {
    await checkGradients(one);
  });
}
