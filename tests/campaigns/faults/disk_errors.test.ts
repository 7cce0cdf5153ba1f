import { assert, assertEquals } from "@std/assert";
import { smallRequest, smallUploads } from "../../support/small_model.ts";
import { smallCheckpoint } from "../../support/stored_checkpoint.ts";
import { diskCampaign, type DiskError } from "./disk_errors.ts";
import { endedJob, JOB_CALLS, LARGE_MODELS, type LifePorts, post, upload } from "./lives.ts";

let fresh = 1;

/** What is called again and again; nothing of it may be there already, or nothing would be written. */
const CALLS = {
  async upload({ send, ledger }: LifePorts): Promise<Response> {
    const bytes = smallCheckpoint(1_100_000, fresh++);
    const answer = await send("/checkpoints", { method: "POST", body: bytes });
    if (answer.ok) ledger.stored.add((await answer.clone().json()).id);
    return answer;
  },
  merge: (ports: LifePorts) =>
    post(
      ports,
      "/merge",
      "recipe",
      {
        merge_method: "linear",
        models: [{ model: "a" }, { model: "b" }],
        parameters: { weight: 1 },
      },
      [["a", LARGE_MODELS[0]!], ["b", LARGE_MODELS[1]!]],
    ),
  async tune(ports: LifePorts): Promise<Response> {
    const seed = fresh++;
    const document = smallRequest({ seed, local: { epochs: 1 } });
    const answer = await post(ports, "/tune", "request", document, smallUploads());
    if (answer.ok) ports.ledger.stored.add((await answer.clone().json()).checkpoint.id);
    return answer;
  },
  /** A job's end stands for its answer. */
  async job(ports: LifePorts): Promise<Response> {
    const { path: call, part, document, files } = JOB_CALLS["merge"]!;
    const headers = { prefer: "respond-async" };
    const answer = await post(ports, call, part, document, files, headers);
    if (answer.status !== 202) return answer;
    await answer.body?.cancel();
    const path = answer.headers.get("location")!;
    // The question how it stands may be what fails.
    const asked = await ports.send(path);
    if (!asked.ok) return asked;
    await asked.body?.cancel();
    const job = await endedJob(ports.send, path);
    if (job.state === "done") return Response.json(job.result);
    const problem = job.problem as { status: number };
    return new Response(JSON.stringify(problem), { status: problem.status });
  },
};

for (const error of ["full", "broken"] as DiskError[]) {
  for (const [name, call] of Object.entries(CALLS)) {
    Deno.test(`a disk that is ${error} at any moment of ${name} is told, and leaves nothing half`, async () => {
      const report = await diskCampaign(error, async (ports) => {
        await upload(ports, smallCheckpoint(5000));
        return call;
      });
      console.log(JSON.stringify({ name, error, ...report, broken: undefined }));
      assertEquals(report.broken, []);
      assert(report.total >= 5, `only ${report.total} points`);
    });
  }
}
