import { checkCase } from "../support/tuning.ts";

for (const folder of ["oracle", "models"]) {
  const url = new URL(`../../fixtures/gradient/${folder}/`, import.meta.url);
  const names = [...Deno.readDirSync(url)]
    .flatMap(({ name }) => name.endsWith(".onnx") ? [name.slice(0, -".onnx".length)] : [])
    .filter((name) => !name.startsWith("trajectory"))
    .sort();
  for (const name of names) {
    Deno.test(`one step of ${name} is the step that PyTorch takes`, () => checkCase(url, name));
  }
}
