/**
 * Turns of the event loop.
 *
 * @module
 */

/** The next turn of the event loop; a timer would take a millisecond or more. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
