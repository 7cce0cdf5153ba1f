/**
 * The names of files that hold the weights of an ONNX model beside it.
 *
 * @module
 */

/** Names that external data of a model may be uploaded under, beside the names that a document uses. */
export function isExternalData(name: string): boolean {
  return /\.(?:data|bin|weights?)$|_data$/.test(name);
}
