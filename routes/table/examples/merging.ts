/**
 * Examples of merging, of checkpoints, and of what else is made of them.
 *
 * @module
 */
import type { Example } from "./example.ts";
import { LEFT, stored } from "./stored.ts";

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

/** In an order in which they can be sent. */
export const MERGING_EXAMPLES: readonly Example[] = [
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
];
