/**
 * The script of the worker that answers requests in this browser.
 *
 * @module
 */
import "../here/worker.ts";
