/**
 * The script of the workers that work on chunks.
 *
 * @module
 */
import "../../../core/engine/worker.ts";
