/**
 * The same step in PyTorch, where it is installed.
 *
 * @module
 */

/** Milliseconds of one step on one thread, or undefined without PyTorch. */
export async function pytorchStep(python: string, model: string): Promise<number | undefined> {
  const script = new URL("./pytorch_step.py", import.meta.url).pathname;
  try {
    const { success, stdout } = await new Deno.Command(python, {
      args: [script, model],
      stdout: "piped",
      stderr: "null",
    }).output();
    return success ? JSON.parse(new TextDecoder().decode(stdout)).milliseconds : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
