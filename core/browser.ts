/**
 * Every module of core/ that knows no host, so that one type check under the DOM's types alone
 * (`deno task check:browser`) proves that all of them also run in a browser. It loads nothing.
 *
 * A test tells if a module is missing here.
 *
 * @module
 */

/** The modules by their paths. */
export interface BrowserModules {
  "checkpoint/backoff.ts": typeof import("./checkpoint/backoff.ts");
  "checkpoint/byte_range.ts": typeof import("./checkpoint/byte_range.ts");
  "checkpoint/byte_source.ts": typeof import("./checkpoint/byte_source.ts");
  "checkpoint/checkpoint.ts": typeof import("./checkpoint/checkpoint.ts");
  "checkpoint/header_fault.ts": typeof import("./checkpoint/header_fault.ts");
  "checkpoint/header_json.ts": typeof import("./checkpoint/header_json.ts");
  "checkpoint/http_range.ts": typeof import("./checkpoint/http_range.ts");
  "checkpoint/http_source.ts": typeof import("./checkpoint/http_source.ts");
  "checkpoint/known_formats.ts": typeof import("./checkpoint/known_formats.ts");
  "checkpoint/memory_source.ts": typeof import("./checkpoint/memory_source.ts");
  "checkpoint/open_safetensors.ts": typeof import("./checkpoint/open_safetensors.ts");
  "checkpoint/safetensors_header.ts": typeof import("./checkpoint/safetensors_header.ts");
  "checkpoint/safetensors_layout.ts": typeof import("./checkpoint/safetensors_layout.ts");
  "checkpoint/utf8.ts": typeof import("./checkpoint/utf8.ts");
  "checkpoint/write_safetensors.ts": typeof import("./checkpoint/write_safetensors.ts");
  "engine/chunk_graph.ts": typeof import("./engine/chunk_graph.ts");
  "engine/chunk_job.ts": typeof import("./engine/chunk_job.ts");
  "engine/chunk_memory.ts": typeof import("./engine/chunk_memory.ts");
  "engine/engine.ts": typeof import("./engine/engine.ts");
  "engine/feeds.ts": typeof import("./engine/feeds.ts");
  "engine/magnitudes.ts": typeof import("./engine/magnitudes.ts");
  "engine/onnx_runtime.ts": typeof import("./engine/onnx_runtime.ts");
  "engine/pool.ts": typeof import("./engine/pool.ts");
  "engine/run_chunk.ts": typeof import("./engine/run_chunk.ts");
  "engine/runtime_module.ts": typeof import("./engine/runtime_module.ts");
  "engine/worker.ts": typeof import("./engine/worker.ts");
  "engine/worker_protocol.ts": typeof import("./engine/worker_protocol.ts");
  "merge/apply_task_vector.ts": typeof import("./merge/apply_task_vector.ts");
  "merge/document.ts": typeof import("./merge/document.ts");
  "merge/faults.ts": typeof import("./merge/faults.ts");
  "merge/json_document.ts": typeof import("./merge/json_document.ts");
  "merge/layers.ts": typeof import("./merge/layers.ts");
  "merge/nearest.ts": typeof import("./merge/nearest.ts");
  "merge/parameter_checks.ts": typeof import("./merge/parameter_checks.ts");
  "merge/parameters.ts": typeof import("./merge/parameters.ts");
  "merge/participants.ts": typeof import("./merge/participants.ts");
  "merge/passes.ts": typeof import("./merge/passes.ts");
  "merge/plan.ts": typeof import("./merge/plan.ts");
  "merge/plan_copy.ts": typeof import("./merge/plan_copy.ts");
  "merge/plan_document.ts": typeof import("./merge/plan_document.ts");
  "merge/plan_faults.ts": typeof import("./merge/plan_faults.ts");
  "merge/plan_kinds.ts": typeof import("./merge/plan_kinds.ts");
  "merge/plan_parameters.ts": typeof import("./merge/plan_parameters.ts");
  "merge/plan_tensor.ts": typeof import("./merge/plan_tensor.ts");
  "merge/plan_types.ts": typeof import("./merge/plan_types.ts");
  "merge/plan_warnings.ts": typeof import("./merge/plan_warnings.ts");
  "merge/provenance.ts": typeof import("./merge/provenance.ts");
  "merge/recipe.ts": typeof import("./merge/recipe.ts");
  "merge/recipe_checks.ts": typeof import("./merge/recipe_checks.ts");
  "merge/recipe_form.ts": typeof import("./merge/recipe_form.ts");
  "merge/recipe_outline.ts": typeof import("./merge/recipe_outline.ts");
  "merge/recipe_schema.ts": typeof import("./merge/recipe_schema.ts");
  "merge/select_tensors.ts": typeof import("./merge/select_tensors.ts");
  "merge/slices.ts": typeof import("./merge/slices.ts");
  "merge/sources.ts": typeof import("./merge/sources.ts");
  "merge/tensor_groups.ts": typeof import("./merge/tensor_groups.ts");
  "merge/tensor_planning.ts": typeof import("./merge/tensor_planning.ts");
  "merge/yaml_document.ts": typeof import("./merge/yaml_document.ts");
  "methods/catalogue.ts": typeof import("./methods/catalogue.ts");
  "methods/difference.ts": typeof import("./methods/difference.ts");
  "methods/election.ts": typeof import("./methods/election.ts");
  "methods/linear.ts": typeof import("./methods/linear.ts");
  "methods/method.ts": typeof import("./methods/method.ts");
  "methods/mod.ts": typeof import("./methods/mod.ts");
  "methods/model_stock.ts": typeof import("./methods/model_stock.ts");
  "methods/parameters.ts": typeof import("./methods/parameters.ts");
  "methods/slerp.ts": typeof import("./methods/slerp.ts");
  "methods/task_arithmetic.ts": typeof import("./methods/task_arithmetic.ts");
  "onnx/graph_builder.ts": typeof import("./onnx/graph_builder.ts");
  "onnx/operands.ts": typeof import("./onnx/operands.ts");
  "onnx/schema.ts": typeof import("./onnx/schema.ts");
  "problem.ts": typeof import("./problem.ts");
  "sources/guarded_fetch.ts": typeof import("./sources/guarded_fetch.ts");
  "sources/open_sources.ts": typeof import("./sources/open_sources.ts");
  "sources/private_host.ts": typeof import("./sources/private_host.ts");
  "sources/source_policy.ts": typeof import("./sources/source_policy.ts");
  "store/blob_id.ts": typeof import("./store/blob_id.ts");
  "store/blobs.ts": typeof import("./store/blobs.ts");
  "store/checkpoints.ts": typeof import("./store/checkpoints.ts");
  "store/early_header.ts": typeof import("./store/early_header.ts");
  "store/leases.ts": typeof import("./store/leases.ts");
  "store/memory_blobs.ts": typeof import("./store/memory_blobs.ts");
  "store/records.ts": typeof import("./store/records.ts");
  "store/table_store.ts": typeof import("./store/table_store.ts");
  "stream/buffers.ts": typeof import("./stream/buffers.ts");
  "stream/chunks.ts": typeof import("./stream/chunks.ts");
  "stream/context.ts": typeof import("./stream/context.ts");
  "stream/copy.ts": typeof import("./stream/copy.ts");
  "stream/in_order.ts": typeof import("./stream/in_order.ts");
  "stream/magnitude_pass.ts": typeof import("./stream/magnitude_pass.ts");
  "stream/masks.ts": typeof import("./stream/masks.ts");
  "stream/merge_stream.ts": typeof import("./stream/merge_stream.ts");
  "stream/prepare.ts": typeof import("./stream/prepare.ts");
  "stream/reduce_pass.ts": typeof import("./stream/reduce_pass.ts");
  "stream/report.ts": typeof import("./stream/report.ts");
  "stream/report_log.ts": typeof import("./stream/report_log.ts");
  "tensor/codec.ts": typeof import("./tensor/codec.ts");
  "tensor/dtype.ts": typeof import("./tensor/dtype.ts");
  "tensor/float8.ts": typeof import("./tensor/float8.ts");
  "tensor/kernels/kernels_wasm.ts": typeof import("./tensor/kernels/kernels_wasm.ts");
  "tensor/kernels/mod.ts": typeof import("./tensor/kernels/mod.ts");
  "tensor/mt19937.ts": typeof import("./tensor/mt19937.ts");
  "tensor/order_statistics.ts": typeof import("./tensor/order_statistics.ts");
  "tensor/random.ts": typeof import("./tensor/random.ts");
  "version.ts": typeof import("./version.ts");
}
