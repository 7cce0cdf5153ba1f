import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { jobTurns } from "../../core/engine/job_turns.ts";

Deno.test("small work goes before large, and what waits longest goes every fourth time", () => {
  const turns = jobTurns<string>();
  for (const name of ["L1", "L2", "L3"]) turns.add(name, 1000);
  for (const name of ["s1", "s2", "s3", "s4", "s5"]) turns.add(name, 1);
  const taken = Array.from({ length: 8 }, () => turns.next());
  assertEquals(taken, ["s1", "s2", "s3", "L1", "s4", "s5", "L2", "L3"]);
  assertEquals([turns.next(), turns.length()], [undefined, 0]);
});

Deno.test("who asks for what fits gets the first that does, and the others keep their turn", () => {
  const turns = jobTurns<string>();
  for (const name of ["a1", "b1", "a2"]) turns.add(name, 1);
  turns.add("b2", 1000);
  assertEquals(turns.next((name) => name.startsWith("b")), "b1");
  assertEquals(turns.next((name) => name.startsWith("c")), undefined);
  assertEquals(turns.next((name) => name.startsWith("b")), "b2");
  assertEquals([turns.next(), turns.next(), turns.next()], ["a1", "a2", undefined]);
});

Deno.test("every job has its turn once, in its order among those of its size, and soon", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.boolean()), { maxLength: 60 }),
      (steps) => {
        const turns = jobTurns<{ readonly size: number; readonly place: number }>();
        const taken: { size: number; place: number; after: number }[] = [];
        let places = 0;
        let takes = 0;
        const since = new Map<number, number>();
        const take = () => {
          const job = turns.next();
          if (job) taken.push({ ...job, after: takes++ - since.get(job.place)! });
        };
        for (const [size, alsoTakes] of steps) {
          since.set(places, takes);
          turns.add({ size, place: places++ }, size);
          if (alsoTakes) take();
        }
        while (turns.length() > 0) take();
        assertEquals(taken.map(({ place }) => place).sort((a, b) => a - b), [...since.keys()]);
        for (const size of [1, 2, 3]) {
          const line = taken.filter((job) => job.size === size).map(({ place }) => place);
          assertEquals(line, line.toSorted((a, b) => a - b));
        }
        // Those that came before, and three that go first for each.
        for (const { place, after } of taken) assert(after <= 4 * (place + 1), `${after}`);
      },
    ),
    { seed: 20261130 },
  );
});
