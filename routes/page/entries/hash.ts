/**
 * The script of a worker that takes the digest of a file.
 *
 * @module
 */
import "../here/hash_worker.ts";
