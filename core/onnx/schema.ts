/**
 * The part of onnx.proto that amalgam reads and writes: field numbers and enumerations.
 *
 * `onnx-proto` on npm is frozen at IR 8, so the numbers stand here, by message.
 *
 * @module
 */

/** IR version of the models that we write. */
export const IR_VERSION = 10;
/** Version of the default operator set that our own graphs use. */
export const OPSET = 21;

/** TensorProto.DataType by the name that ONNX Runtime Web uses. */
export const ONNX_TYPE = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const;

/** AttributeProto.AttributeType. */
export const ATTRIBUTE = {
  float: 1,
  integer: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  integers: 7,
  strings: 8,
} as const;

/** Field numbers by message. */
export const FIELD = {
  model: {
    irVersion: 1,
    producer: 2,
    graph: 7,
    opsetImport: 8,
    metadata: 14,
    functions: 25,
  },
  opset: { domain: 1, version: 2 },
  entry: { key: 1, value: 2 },
  graph: { node: 1, name: 2, initializer: 5, input: 11, output: 12, valueInfo: 13, sparse: 15 },
  node: {
    input: 1,
    output: 2,
    name: 3,
    operator: 4,
    attribute: 5,
    domain: 7,
    overload: 8,
    metadata: 9,
  },
  attribute: {
    name: 1,
    float: 2,
    integer: 3,
    string: 4,
    tensor: 5,
    graph: 6,
    floats: 7,
    integers: 8,
    strings: 9,
    type: 20,
    reference: 21,
  },
  tensor: {
    dimension: 1,
    dataType: 2,
    segment: 3,
    floatData: 4,
    int32Data: 5,
    stringData: 6,
    int64Data: 7,
    name: 8,
    rawData: 9,
    doubleData: 10,
    uint64Data: 11,
    externalData: 13,
    dataLocation: 14,
  },
  function: {
    name: 1,
    input: 4,
    output: 5,
    attribute: 6,
    node: 7,
    opsetImport: 9,
    domain: 10,
    attributeDefaults: 11,
    valueInfo: 12,
    overload: 13,
  },
  valueInfo: { name: 1, type: 2 },
  type: { tensor: 1, sequence: 4, optional: 9 },
  tensorType: { elementType: 1, shape: 2 },
  shape: { dimension: 1 },
  dimension: { value: 1, parameter: 2 },
} as const;
