/**
 * The schema of a task (API.md, sections 4 and 5). The messages in it say what a value must be;
 * `task_document.ts` makes sentences of them. `/openapi.json` is made from it as well.
 *
 * @module
 */
import * as v from "valibot";
import { LossSchema } from "../gradient/loss_options.ts";

const NAME = "a name without control characters";
const Name = v.pipe(v.string(NAME), v.regex(/^[^\p{Cc}]{1,1000}$/u, NAME));

const NUMBER = "a number that float32 can hold";
const Number32 = v.pipe(
  v.number(NUMBER),
  v.check((value) => Number.isFinite(Math.fround(value)), NUMBER),
);

const SHAPE = "a list such as [-1, 28, 28]: -1 for the rows, then integers from 1 on";
const Shape = v.pipe(
  v.array(v.number(SHAPE), SHAPE),
  v.check(
    ([rows, ...sizes]) =>
      rows === -1 && sizes.every((size) => Number.isSafeInteger(size) && size >= 1),
    SHAPE,
  ),
);

const INPUT = "the name of an array, or a map { from, scale, offset, shape }";
const Input = v.union([
  Name,
  v.strictObject({
    from: Name,
    scale: v.nullish(Number32, 1),
    offset: v.nullish(Number32, 0),
    shape: v.nullish(Shape),
  }, INPUT),
], INPUT);

const TARGET = "the name of an array, or a map { from }";
const Target = v.union([Name, v.strictObject({ from: Name }, TARGET)], TARGET);

const WEIGHT = "a number from 0 on";
const Weight = v.pipe(v.number(WEIGHT), v.finite(WEIGHT), v.minValue(0, WEIGHT));

const URL_TEXT = "an http or https URL";
const PARTICIPANT = "a map { url, shard, headers, timeout, max_norm }";
const HEADERS = "a map of strings";
const TIMEOUT = "seconds from 1 to 3600";
const NORM = "a number above 0";
const Participant = v.strictObject({
  url: v.pipe(v.string(URL_TEXT), v.check(isHttp, URL_TEXT)),
  shard: Name,
  headers: v.nullish(v.record(v.string(), v.string(HEADERS), HEADERS), {}),
  timeout: v.nullish(
    v.pipe(v.number(TIMEOUT), v.minValue(1, TIMEOUT), v.maxValue(3600, TIMEOUT)),
    60,
  ),
  max_norm: v.nullish(v.pipe(v.number(NORM), v.finite(NORM), v.gtValue(0, NORM))),
}, PARTICIPANT);

/** A task: a shard of data tied to a graph. */
export const TaskSchema = v.strictObject({
  name: Name,
  shard: v.nullish(Name),
  inputs: v.nullish(v.record(v.string(), Input, "a map of graph inputs"), {}),
  target: Target,
  output: v.nullish(Name),
  loss: LossSchema,
  parameters: v.nullish(Name),
  weight: v.nullish(Weight, 1),
  select: v.nullish(Name),
  test: v.nullish(Name),
  participant: v.nullish(Participant),
}, "a map");

function isHttp(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}
