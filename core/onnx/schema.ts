/**
 * The part of onnx.proto that amalgam writes: field numbers and enumerations.
 *
 * `onnx-proto` on npm is frozen at IR 8, so the numbers stand here, by message.
 *
 * @module
 */

/** IR version of the models that we write. */
export const IR_VERSION = 10;
/** Version of the default operator set. */
export const OPSET = 21;

/** TensorProto.DataType of the element types that we use. */
export const ONNX_TYPE = { float32: 1, int64: 7, float64: 11 } as const;

/** AttributeProto.AttributeType. */
export const ATTRIBUTE = { float: 1, integer: 2, integers: 7 } as const;

/** Field numbers by message. */
export const FIELD = {
  model: { irVersion: 1, producer: 2, graph: 7, opsetImport: 8 },
  opset: { domain: 1, version: 2 },
  graph: { node: 1, name: 2, initializer: 5, input: 11, output: 12 },
  node: { input: 1, output: 2, operator: 4, attribute: 5 },
  attribute: { name: 1, float: 2, integer: 3, integers: 8, type: 20 },
  tensor: { dimension: 1, dataType: 2, name: 8, rawData: 9 },
  valueInfo: { name: 1, type: 2 },
  type: { tensor: 1 },
  tensorType: { elementType: 1, shape: 2 },
  shape: { dimension: 1 },
  dimension: { value: 1, parameter: 2 },
} as const;
