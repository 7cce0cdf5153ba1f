/**
 * What the experiment does, in full and in five minutes.
 *
 * @module
 */

/** Budgets, step sizes and sizes of one experiment. */
export interface Plan {
  readonly quick: boolean;
  readonly networks: readonly string[];
  readonly seeds: readonly number[];
  readonly tasks: readonly string[];
  /** Rows per task that are tuned on, of those that pretraining leaves. */
  readonly tuneRows: number;
  readonly pretrainEpochs: number;
  readonly headEpochs: number;
  readonly batchSize: number;
  /** Learning rates of Adam that single experts choose from. */
  readonly rates: readonly number[];
  /** Epochs per task in all. */
  readonly budgets: readonly number[];
  /** Steps on the merged task vector other than 1, tried at the largest budget. */
  readonly alphas: readonly number[];
  /** Factors on the chosen learning rate, tried at the smallest budget. */
  readonly rateFactors: readonly number[];
  /** Rounds of post-hoc refinement. */
  readonly postHocRounds: number;
}

/** What the command line asks for. */
export interface Options {
  readonly plan: Plan;
  readonly data: string;
  /** Where answers and the store are kept. */
  readonly folder: string;
  /** The report. */
  readonly output: string;
  /** Forget what earlier runs answered. */
  readonly fresh: boolean;
  /** Only measure what a round costs beyond its steps. */
  readonly overhead: boolean;
}

/** Rows of every task's train shard that only pretraining sees. */
export const PRETRAIN_ROWS = 600;
/** Rows of every task's validation shard that post-hoc refinement tunes on; the others select. */
export const POST_HOC_ROWS = 500;
/** Classes of every task. */
export const CLASSES = 10;

const FULL: Plan = {
  quick: false,
  networks: ["cnn", "vit"],
  seeds: [1, 2, 3],
  tasks: ["mnist", "fashion", "kmnist", "devanagari-digits"],
  tuneRows: 1000,
  pretrainEpochs: 15,
  headEpochs: 6,
  batchSize: 50,
  rates: [1e-3, 2e-3, 4e-3, 8e-3],
  budgets: [4, 10],
  alphas: [0.5, 1.5],
  rateFactors: [0.5, 2],
  postHocRounds: 10,
};

const QUICK: Plan = {
  ...FULL,
  quick: true,
  networks: ["cnn"],
  seeds: [1],
  tasks: ["mnist", "fashion", "kmnist"],
  tuneRows: 400,
  pretrainEpochs: 8,
  headEpochs: 4,
  rates: [2e-3, 4e-3],
  budgets: [4],
  alphas: [],
  rateFactors: [],
  postHocRounds: 6,
};

/**
 * Reads `--quick`, `--data FOLDER`, `--seeds N`, `--rows N`, `--networks A,B`, `--folder FOLDER`, `--output FILE`, `--fresh`,
 * `--overhead`.
 *
 * @throws {Error} If an option is not known or its value is not one.
 */
export function readOptions(args: readonly string[]): Options {
  const flags = new Set<string>();
  const values = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    const name = args[i]!;
    if (name === "--quick" || name === "--fresh" || name === "--overhead") flags.add(name);
    else if (/^--(data|seeds|rows|networks|folder|output)$/.test(name)) {
      const value = args[++i];
      if (value === undefined) throw new Error(`${name} needs a value`);
      values.set(name.slice(2), value);
    } else {
      throw new Error(
        `An option must be --quick, --fresh, --overhead, --data, --seeds, --rows, --networks, --folder or --output: ` +
          `current value is ${name}`,
      );
    }
  }
  const quick = flags.has("--quick");
  const base = quick ? QUICK : FULL;
  const count = (name: string, fallback: number) => {
    const value = Number(values.get(name) ?? fallback);
    if (Number.isSafeInteger(value) && value >= 1) return value;
    throw new Error(
      `--${name} must be an integer of at least 1: current value is ${values.get(name)}`,
    );
  };
  const seeds = count("seeds", base.seeds.length);
  const networks = values.get("networks")?.split(",") ?? base.networks;
  return {
    plan: {
      ...base,
      networks,
      tuneRows: count("rows", base.tuneRows),
      seeds: Array.from({ length: seeds }, (_, i) => i + 1),
    },
    data: values.get("data") ?? "../shared/data",
    folder: values.get("folder") ?? ".bench/atm",
    output: values.get("output") ?? (quick ? ".bench/atm/quick/atm.md" : "docs/atm.md"),
    fresh: flags.has("--fresh"),
    overhead: flags.has("--overhead"),
  };
}
