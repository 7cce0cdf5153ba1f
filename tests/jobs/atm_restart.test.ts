import { assert, assertEquals } from "@std/assert";
import { keys } from "idb-keyval";
import { allManifests } from "../../core/store/records.ts";
import { atmDocument, atmUploads } from "../support/atm.ts";
import { beginJob, deadly, endOf, formOf, restartable } from "../support/restarts.ts";

const DOCUMENT = atmDocument({ references: [] });
const form = () => formOf("request", DOCUMENT, atmUploads(DOCUMENT));

/** The moments at which the process of a job of two rounds dies: when a record has just been written. */
const DEATHS: Readonly<Record<string, (key: string, value: unknown) => boolean>> = {
  "before its first round": (key) => key.startsWith("atm/"),
  "after its first round": (key, value) =>
    key.startsWith("atm/") && (value as { round: number }).round === 1,
  "when its rounds are over": (key, value) =>
    key.startsWith("atm/") && (value as { round: number }).round === 2,
  "when its answer is there and its job does not have it yet": (key, value) =>
    key.startsWith("atm/") && "answer" in (value as object),
};

/** What a job answers apart from what differs from run to run. */
function told(result: unknown): unknown {
  const { run: _, cost: __, rounds, ...rest } = result as Record<string, unknown>;
  return {
    ...rest,
    rounds: (rounds as object[]).map((each) => ({ ...each, seconds: 0, tasks: 0 })),
  };
}

Deno.test("rounds go on after a death at any moment, to the same answer, and leave nothing but it", async () => {
  const whole = restartable();
  const undisturbed = await whole.open();
  const first = await endOf(undisturbed, await beginJob(undisturbed.app, "/atm", form()));
  assertEquals(first.state, "done", JSON.stringify(first.problem));
  const stored = await whole.blobs.list();
  await undisturbed.stop();

  for (const [name, isLast] of Object.entries(DEATHS)) {
    const store = restartable();
    const { records, died } = deadly(store.records, isLast);
    const dying = await store.open(() => ({ records }));
    const path = await beginJob(dying.app, "/atm", form());
    await died;
    await dying.stop();
    const next = await store.open();
    const job = await endOf(next, path);
    assertEquals(job.state, "done", `${name}: ${JSON.stringify(job.problem)}`);
    assertEquals(told(job.result), told(first.result), name);
    assertEquals(await store.blobs.list(), stored, name);
    // Neither the run nor a holder is left.
    const left = (await keys<string>(store.records)).filter((key) => key.startsWith("atm/"));
    assertEquals(left, [], name);
    assert((await allManifests(store.records)).every(({ held_by }) => held_by === undefined), name);
    await next.stop();
  }
});

Deno.test("a run that fails is kept for as long as its job, then its weights go", async () => {
  const store = restartable();
  const { records, died } = deadly(store.records, DEATHS["after its first round"]!);
  const dying = await store.open(() => ({ records }));
  const path = await beginJob(dying.app, "/atm", form());
  await died;
  await dying.stop();
  const next = await store.open(() => ({
    openWorkspace: () => {
      throw new Error("There is no engine");
    },
  }));
  assertEquals((await endOf(next, path)).state, "failed");
  assert((await store.blobs.list()).length > 0);
  store.clock.now += 2 * 86_400_000;
  await next.runner.collect();
  assertEquals([await store.blobs.list(), await keys(store.records)], [[], []]);
  await next.stop();
});
