/**
 * The table of expansions.
 *
 * @module
 */
import type { Expansions } from "../rule.ts";
import { ATTENTION } from "./attention.ts";
import { CONDITIONAL } from "./conditional.ts";
import { GRU } from "./gru.ts";
import { LOOP } from "./loop.ts";
import { LSTM } from "./lstm.ts";
import { RNN } from "./rnn.ts";
import { ROTARY } from "./rotary_embedding.ts";
import { SIMPLE } from "./simple.ts";

/** Expansions by operator of the default domain. */
export const EXPANSIONS: Expansions = {
  ...ATTENTION,
  ...LSTM,
  ...GRU,
  ...RNN,
  ...ROTARY,
  ...SIMPLE,
  ...CONDITIONAL,
  ...LOOP,
};
