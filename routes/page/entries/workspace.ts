/**
 * The script of a worker that holds a workspace.
 *
 * @module
 */
import "../../../core/engine/workspace_worker.ts";
