/**
 * Requests that `/openapi.json` and `/docs` show. The tests send every one of them to the service, with the files of
 * `fixtures/digits` under the names given here, and expect the status given here.
 *
 * @module
 */

/** A request. */
export interface Example {
  /** The id of its operation. */
  readonly operation: string;
  /** Its name, unique in its operation. */
  readonly name: string;
  readonly summary: string;
  readonly document?: Readonly<Record<string, unknown>>;
  /** File parts behind the document: the file of each. */
  readonly uploads?: Readonly<Record<string, string>>;
  /** The file that is the body. */
  readonly file?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  /** Parameters of the path. */
  readonly path?: Readonly<Record<string, string>>;
  readonly status: number;
}

const BASE = "sha256:f384beaa9a08435f0e3243f66f0f6cc9b48552ba128aa480a04225d234130900";
const LEFT = "sha256:4028954bcc6b573590ec68b4ec6eca7547e8fd4088bbc4bbc8381b9b17765fde";
const RIGHT = "sha256:9f9d62ec0359d4aaf8200e98db32c16d3b3c5e3b7775cefbdf61aa9f41e5d61b";

/** What examples name by id, with its file; it must be stored before. */
export const STORED_EXAMPLES: Readonly<Record<string, string>> = {
  [BASE]: "base.safetensors",
  [LEFT]: "left.safetensors",
  [RIGHT]: "right.safetensors",
};

const stored = {
  base: { checkpoint: BASE },
  left: { checkpoint: LEFT },
  right: { checkpoint: RIGHT },
};
const recipe = {
  merge_method: "ties",
  base_model: "base",
  models: [
    { model: "left", parameters: { weight: 1, density: 0.5 } },
    { model: "right", parameters: { weight: 1, density: 0.5 } },
  ],
  parameters: { lambda: 0.75 },
};
const files = {
  base: "base.safetensors",
  left: "left.safetensors",
  right: "right.safetensors",
};
const task = {
  name: "digits",
  shard: "rows",
  inputs: { x: { from: "x", scale: 0.0625 } },
  target: "y",
  loss: "cross_entropy",
};
const local = {
  steps: 5,
  batch_size: 32,
  optimizer: { name: "sgd", learning_rate: 0.02, momentum: 0.9 },
};
const net = { net: "digits.onnx" };
const rows = { rows: "val.safetensors" };

/** The requests, in an order in which they can be sent. */
export const EXAMPLES: readonly Example[] = [
  {
    operation: "storeCheckpoint",
    name: "file",
    summary: "Store a file",
    file: "base.safetensors",
    status: 200,
  },
  {
    operation: "merge",
    name: "uploads",
    summary: "Merge three uploaded files with TIES",
    document: recipe,
    uploads: files,
    status: 200,
  },
  {
    operation: "merge",
    name: "stored",
    summary: "Merge files that are stored, written as float16",
    document: {
      merge_method: "linear",
      models: [
        { model: "left", parameters: { weight: 0.5 } },
        { model: "right", parameters: { weight: 0.5 } },
      ],
      out_dtype: "float16",
      sources: { left: stored.left, right: stored.right },
    },
    status: 200,
  },
  {
    operation: "merge",
    name: "job",
    summary: "Merge as a job",
    document: { ...recipe, sources: stored },
    headers: { "prefer": "respond-async", "idempotency-key": "merge-42" },
    status: 202,
  },
  {
    operation: "plan",
    name: "stored",
    summary: "Ask what a merge would do",
    document: { ...recipe, tensors: { include: ["layers.*.weight"] }, sources: stored },
    status: 200,
  },
  {
    operation: "getMergeReport",
    name: "report",
    summary: "Read what a merge did",
    path: { id: "0b0c6a0e-0a54-4c7c-8f0e-2d3f6f8d4c11" },
    status: 200,
  },
  {
    operation: "analyze",
    name: "numbers",
    summary: "Compare two models with their base",
    document: {
      base_model: "base",
      models: [{ model: "left" }, { model: "right" }],
      sources: stored,
    },
    status: 200,
  },
  {
    operation: "analyze",
    name: "picture",
    summary: "Draw how models conflict",
    document: {
      base_model: "base",
      models: [{ model: "left" }, { model: "right" }],
      spectrum: true,
      sources: stored,
    },
    query: { picture: "conflict" },
    headers: { accept: "image/svg+xml" },
    status: 200,
  },
  {
    operation: "makeTaskVector",
    name: "stored",
    summary: "Store the difference of two models",
    document: {
      base: "base",
      model: "left",
      sources: { base: stored.base, left: stored.left },
    },
    status: 201,
  },
  {
    operation: "extractAdapter",
    name: "rank",
    summary: "Extract an adapter of rank 8",
    document: {
      base: "base",
      model: "left",
      rank: 8,
      sources: { base: stored.base, left: stored.left },
    },
    status: 201,
  },
  {
    operation: "listCheckpoints",
    name: "page",
    summary: "List what is stored",
    query: { limit: "10" },
    status: 200,
  },
  {
    operation: "listTensors",
    name: "tensors",
    summary: "List the tensors of a file",
    path: { id: LEFT },
    status: 200,
  },
  {
    operation: "getCheckpoint",
    name: "file",
    summary: "Fetch a file",
    path: { id: LEFT },
    status: 200,
  },
  {
    operation: "getCheckpoint",
    name: "range",
    summary: "Fetch the first bytes of a file",
    path: { id: LEFT },
    headers: { range: "bytes=0-99" },
    status: 206,
  },
  {
    operation: "tune",
    name: "steps",
    summary: "Five steps of SGD",
    document: { model: "net", start: "left", task, local, sources: { left: stored.left } },
    uploads: { ...net, ...rows },
    status: 200,
  },
  {
    operation: "evaluate",
    name: "experts",
    summary: "Score two checkpoints on a task",
    document: {
      model: "net",
      checkpoints: ["left", "right"],
      tasks: [task],
      sources: { left: stored.left, right: stored.right },
    },
    uploads: { ...net, ...rows },
    status: 200,
  },
  {
    operation: "makeTrainingGraph",
    name: "graph",
    summary: "Fetch the training graph",
    document: { model: "net", task: { loss: "cross_entropy" }, local },
    uploads: net,
    status: 200,
  },
  {
    operation: "makeStatistics",
    name: "gram",
    summary: "Gram matrices for regmean",
    document: {
      model: "net",
      start: "left",
      tasks: [{ name: "digits", shard: "rows", inputs: { x: { from: "x", scale: 0.0625 } } }],
      kind: "gram",
      rows: 64,
      sources: { left: stored.left },
    },
    uploads: { ...net, ...rows },
    status: 200,
  },
  {
    operation: "atm",
    name: "rounds",
    summary: "Two rounds on one task, told as lines of JSON",
    document: {
      model: "net",
      start: "left",
      tasks: [task],
      rounds: 2,
      local,
      references: ["base"],
      mode: "published",
      sources: { left: stored.left },
    },
    uploads: { ...net, ...rows },
    status: 200,
  },
  { operation: "listJobs", name: "jobs", summary: "List jobs", status: 200 },
  {
    operation: "getJob",
    name: "job",
    summary: "Ask where a job stands",
    path: { id: "5f2b7c1e-64d5-4f0e-9d0c-0a3c6f6a7b11" },
    status: 200,
  },
  {
    operation: "followJob",
    name: "events",
    summary: "Follow a job",
    path: { id: "5f2b7c1e-64d5-4f0e-9d0c-0a3c6f6a7b11" },
    status: 200,
  },
  {
    operation: "getJobResult",
    name: "result",
    summary: "Fetch the result of a job that is done",
    path: { id: "5f2b7c1e-64d5-4f0e-9d0c-0a3c6f6a7b11" },
    status: 200,
  },
  {
    operation: "cancelJob",
    name: "cancel",
    summary: "Cancel a job",
    path: { id: "5f2b7c1e-64d5-4f0e-9d0c-0a3c6f6a7b11" },
    status: 204,
  },
  {
    operation: "deleteCheckpoint",
    name: "file",
    summary: "Remove a file",
    path: { id: RIGHT },
    status: 204,
  },
  { operation: "listMethods", name: "methods", summary: "List the methods", status: 200 },
  {
    operation: "getMethod",
    name: "ties",
    summary: "Read what a method takes",
    path: { name: "ties" },
    status: 200,
  },
  { operation: "listProblems", name: "problems", summary: "List the problems", status: 200 },
  {
    operation: "getProblem",
    name: "upstream",
    summary: "Read what a problem means",
    path: { kind: "upstream" },
    status: 200,
  },
  { operation: "getOverview", name: "overview", summary: "Find the resources", status: 200 },
  { operation: "getEngine", name: "engine", summary: "Ask what merges run on", status: 200 },
  {
    operation: "getPageFile",
    name: "absent",
    summary: "A file that the page does not have",
    path: { file: "absent.js" },
    status: 404,
  },
  { operation: "getHealth", name: "health", summary: "Ask whether it lives", status: 200 },
  { operation: "getReadiness", name: "readiness", summary: "Ask whether it can work", status: 200 },
  { operation: "getOpenApi", name: "document", summary: "Fetch the description", status: 200 },
  { operation: "getDocsStyle", name: "style", summary: "Fetch its style", status: 200 },
  { operation: "getDocs", name: "page", summary: "Read the description", status: 200 },
];

/** The examples of an operation. */
export function examplesOf(operation: string): readonly Example[] {
  return EXAMPLES.filter((example) => example.operation === operation);
}
