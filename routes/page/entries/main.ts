/**
 * The script of the page itself.
 *
 * @module
 */
import "../app/main.tsx";
