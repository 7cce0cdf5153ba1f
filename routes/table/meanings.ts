/**
 * What the keys of documents mean, for `/openapi.json` and `/docs`; the schemas say what their values must be.
 *
 * @module
 */

/** Meanings by key; `a.b` is the key `b` of the map under `a`. */
export type Meanings = Readonly<Record<string, string>>;

const EXPORTED = "Source of the weights that the graph was exported with, where its initializers " +
  "are folded or renamed, so that they are recognized by their values.";
const GRAPH = "Source of the ONNX forward graph, with its weights.";
const START = "Source whose tensors replace the graph's initializers of the same names.";
const SOURCES = "Where the named sources are. A name without an entry is the file part of that " +
  "name, or a stored file's id.";
const SEED = "Seed of all random numbers; the same request gives the same bytes.";

const TENSORS = {
  "tensors": "Which tensors are merged.",
  "tensors.include": "Globs of names that are merged.",
  "tensors.exclude": "Globs of names that are not, although they are included.",
  "tensors.otherwise": "What tensors get that are not merged: the base's, the first model's, or " +
    "they are left out.",
};

const RECIPE = {
  "merge_method": "The method, by its name in `GET /methods`.",
  "base_model": "Source of the base: what task vectors are differences to.",
  "models": "The models that are merged, whole. Stands where `slices` does not.",
  "models.model": "Name of the model's source.",
  "models.parameters": "The method's parameters for this model.",
  "models.statistics": "Source of what `POST /statistics` stored, for methods that merge by it.",
  "slices": "Blocks of the result, one slice after the other, each merged from equally many " +
    "blocks of its sources.",
  "slices.sources": "The models that a slice is merged from.",
  "slices.sources.model": "Name of the model's source.",
  "slices.sources.layer_range": "First block, and the one behind the last.",
  "slices.sources.parameters": "The method's parameters for this model.",
  "slices.parameters": "The method's parameters for this slice.",
  "parameters": "The method's parameters. Those of a model or slice go before these.",
  "dtype": "The type of the result, as in mergekit's recipes; `out_dtype` goes before it.",
  "out_dtype": "The type of the result; each tensor's own without it. The arithmetic is float32.",
  "sources": SOURCES,
  "seed": SEED,
  ...TENSORS,
  "mismatch": "What happens where shapes differ: it is refused, the base's tensor is taken, or " +
    "the models that differ are left out.",
  "missing": "What happens where a model lacks a tensor: it is refused, merged without that " +
    "model, or taken from the base.",
  "extra": "What happens to a tensor that the base lacks.",
  "non_finite": "What happens to a tensor with NaN or infinity: it is refused, taken from the " +
    "base, or computed with.",
  "saturate":
    "Whether a value that is too large for the type becomes the largest one, instead of " +
    "an error.",
  "strict_integers": "Whether integer tensors that differ are an error; else the base's are taken.",
  "float8": "Whether 8-bit floats are read and written as plain numbers, without scales.",
  "compat": "Whose results are followed where definitions differ.",
  "rng": "Where random masks come from; `mt19937` with `compat: mergekit`.",
  "gradient_t": "Positions over the layers that replace those found by the tensors' names.",
  "gradient_t.filter": "A part of the names for which it holds.",
  "gradient_t.value": "0 is the first layer, 1 the last.",
  "lines": "A factor on what is added to the base that grows over depth (LiNeS).",
  "lines.alpha": "The factor at the first layer.",
  "lines.beta": "What is added to it at the last layer.",
  "experimental": "Allows methods that are marked as experimental.",
  "output": "What is written, and where to.",
  "output.format": "One safetensors file or shards, an ONNX model, or a PEFT adapter.",
  "output.graph": "Source of the ONNX model whose graph the result takes.",
  "output.shard_size": "Bytes of a shard at most; the shards come in one zip archive.",
  "output.put": "Where the result is sent by PUT instead of being answered.",
  "name": "The file's name, without its extension.",
};

const TASK = {
  "name": "Results stand under it.",
  "shard": "Source of the rows it is tuned or scored on: safetensors, npz or Parquet.",
  "inputs": "Which array feeds which input of the graph; by default the array of its name.",
  "target": "The array of classes or values.",
  "output": "The output of the graph that the loss reads; the first by default.",
  "loss": "The loss, and how it is taken.",
  "parameters": "Source of tensors that are this task's own, such as its head; never merged.",
  "weight": "Its weight among the tasks.",
  "select": "Source of the rows that rounds are chosen by.",
  "test": "Source of the rows that are looked at once, at the end.",
  "participant": "The service that holds the shard and tunes on it.",
  "participant.url": "Its address.",
  "participant.shard": "The id of the shard in its store.",
  "participant.headers": "Header fields for it, such as an authorization.",
  "participant.timeout": "Seconds of silence after which it has failed.",
  "participant.max_norm": "The largest norm of a task vector that is taken from it.",
};

const LOCAL = {
  "epochs": "How often every row is seen; 1 unless `steps` says otherwise.",
  "steps": "Gradient steps, in place of epochs.",
  "batch_size": "Rows of a step; the last one of an epoch may have fewer.",
  "shuffle": "Whether the order of rows is drawn anew for every epoch.",
  "optimizer": "How gradients become steps.",
  "schedule": "How the learning rate changes over the steps.",
  "clip_norm": "The largest norm of a gradient; 0 is none.",
  "proximal": "FedProx: the weight of the distance to the start; 0 is none.",
  "first_epoch": "Running number of the first epoch, which the order of rows depends on.",
};

const TRAINABLE = {
  "trainable": "Which tensors are trained.",
  "trainable.include": "Globs of names that are.",
  "trainable.exclude": "Globs of names that are not, although they are included.",
};

const TUNE = {
  "model": GRAPH,
  "start": START,
  "exported_with": EXPORTED,
  "task": "The rows, and what is asked of them.",
  "local": "How it is tuned.",
  ...TRAINABLE,
  "seed": SEED,
  "sources": SOURCES,
};

/** Meanings by the name of the schema. */
export const MEANINGS: Readonly<Record<string, Meanings>> = {
  Recipe: RECIPE,
  AnalysisRequest: {
    ...RECIPE,
    "merge_method": "Ignored, but must be the name of a method.",
    "spectrum": "Whether singular values of matrices are looked at too, and up to which size.",
    "spectrum.maximum_elements": "Elements of the largest matrix.",
  },
  TaskVectorRequest: {
    "base": "Source of what is subtracted.",
    "model": "Source of what it is subtracted from.",
    "sources": SOURCES,
    "negate": "Whether the difference is taken the other way round.",
    "out_dtype": "The type that is stored.",
  },
  ExtractionRequest: {
    "task_vector": "Source of a stored difference.",
    "base": "Source of what is subtracted from `model`.",
    "model": "Source of the tuned model.",
    "rank": "The rank of every matrix.",
    "energy": "The share of each matrix's squared norm that is kept, in place of a rank.",
    "include": "Globs of matrices that are extracted.",
    "exclude": "Globs of matrices that are not, although they are included.",
    "embeddings": "Globs of embeddings, whose factors have names and order of their own.",
    "fan_in_fan_out": "Whether matrices are stored [in, out].",
    "out_dtype": "The type of the factors.",
    "base_model_name_or_path": "For the adapter's configuration.",
    "task_type": "For the adapter's configuration.",
    "sources": SOURCES,
  },
  TuneRequest: TUNE,
  TrainingGraphRequest: TUNE,
  EvaluateRequest: {
    "model": GRAPH,
    "exported_with": EXPORTED,
    "checkpoints": "Sources of weights; the graph's own without any.",
    "tasks": "What they are scored on.",
    "batch_size": "Rows that are computed at once.",
    "sources": SOURCES,
  },
  StatisticsRequest: {
    "model": GRAPH,
    "start": START,
    "exported_with": EXPORTED,
    "tasks": "The rows that statistics are taken of; `gram` needs neither targets nor losses.",
    "kind": "Gram matrices of layers' inputs, or the diagonal of the Fisher information.",
    "rows": "Rows of each task, at most.",
    "tensors": "Which tensors statistics are taken for.",
    "augment": "Whether biases get a column of ones; true unless it says otherwise.",
    "outcomes": "All classes, or one drawn for each output.",
    "seed": SEED,
    "merge": "The recipe of a merge along which layers' inputs are taken.",
    "sources": SOURCES,
  },
  AtmRequest: {
    "model": GRAPH,
    "start": "Where it starts: a source, or a recipe that is merged first. The graph's own " +
      "weights without it.",
    "exported_with": EXPORTED,
    "tasks": "What is tuned on, each on its own rows.",
    "rounds": "Rounds at most.",
    "local": "How a round's tasks are tuned.",
    "merge": "How a round's results are merged: a method, or `median`, `trimmed_mean` or `krum`.",
    "alpha": "The step on the merged task vector.",
    "outer": "The optimizer that takes merged task vectors for gradients.",
    "normalize_steps": "Whether task vectors are divided by their numbers of steps.",
    "weights": "How tasks are weighted: alike, by their rows, or by their own weights.",
    ...TRAINABLE,
    "private": "Globs of tensors that stay each task's own.",
    "stop": "When to stop, by the select rows.",
    "stop.metric": "What is looked at, the mean over tasks.",
    "stop.patience": "Rounds without an improvement.",
    "stop.min_delta": "What counts as one.",
    "stop.backtrack": "Whether a round that makes it worse is tried again with half the step.",
    "stop.max_backtracks": "How often.",
    "references": "What the result is compared with.",
    "clip": "How norms of task vectors are bounded.",
    "privacy": "Differential privacy at the level of participants.",
    "privacy.clip_norm": "The largest norm of a task vector.",
    "privacy.noise_multiplier": "Noise as a multiple of it.",
    "privacy.delta": "The probability that the bound does not hold.",
    "keep_rounds": "Whether the weights of accepted rounds stay in the store, to go back to them.",
    "average_rounds": "An average over the rounds' weights, as a further result.",
    "mode": "Whether rounds must improve, or are all accepted as the paper does.",
    "overlap": "Whether rows may be tuned on and chosen by; tested on they never may be.",
    "seed": SEED,
    "resume": "The id of a run, or of its job, to go on with.",
    "sources": SOURCES,
  },
  Task: TASK,
  LocalSettings: LOCAL,
  Source: {
    "upload": "A file part of this request.",
    "checkpoint": "The id of a stored file.",
    "url": "An address that is read by ranges; its host must be allowed.",
    "path": "A file under the operator's folder.",
    "hub": "A repository of the hub.",
    "revision": "Its branch, tag or commit.",
    "file": "A file in it.",
    "headers": "Header fields for it, such as an authorization.",
    "kind": "What its numbers stand for, where the file does not say so.",
  },
};
