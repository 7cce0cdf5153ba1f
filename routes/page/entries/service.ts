/**
 * Where the page sends its requests, as a module of its own: for scripts on the console, and for tests.
 *
 * @module
 */
export { inBrowser } from "../app/service/in_browser.ts";
export { overNetwork } from "../app/service/over_network.ts";
