/**
 * The view "jobs": what runs, what ran, and why something failed.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";
import { ProblemNotice } from "../../parts/problem_notice.tsx";
import { useSession } from "../../session.tsx";
import { JobCard } from "./job_card.tsx";
import { useJobs } from "./use_jobs.ts";

function isOpen(): boolean {
  return location.hash.startsWith("#/jobs");
}

/** The view. */
export function JobsView() {
  const { send, place } = useSession();
  const [open, setOpen] = useState(isOpen);
  useEffect(() => {
    const changed = () => setOpen(isOpen());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  const { jobs, problem, refresh } = useJobs(send, open);
  return (
    <>
      <h1>Jobs</h1>
      <p class="quiet lead">
        Long calls that were handed over to {place === "service" ? "the service" : "this browser"}
        {" "}
        and go on by themselves.
      </p>
      {problem && <ProblemNotice problem={problem} onRetry={refresh} />}
      {jobs && jobs.length > 0 && (
        <ul class="jobs" aria-label="Jobs">
          {jobs.map((job) => <JobCard key={job.id} job={job} onChange={refresh} />)}
        </ul>
      )}
      {jobs && jobs.length === 0 && <NoJobs />}
    </>
  );
}

/** What stands where there are none. */
function NoJobs() {
  return (
    <div class="panel">
      <p>There are no jobs.</p>
      <p>
        A merge, an analysis or ATM rounds become a job if the request prefers not to wait. ATM
        rounds can be{" "}
        <a href="#/atm">started as a job here</a>; by the command line it is one more header:
      </p>
      <pre class="command" tabIndex={0} aria-label="Command">{`curl -H 'Prefer: respond-async' \\
  -F 'recipe={"merge_method": "linear", "models": [{"model": "a"}, {"model": "b"}]}' \\
  -F a=@a.safetensors -F b=@b.safetensors \\
  ${location.origin}/merge`}</pre>
      <p class="quiet">
        The answer is <code>202</code> with the job’s address in <code>Location</code>.
      </p>
    </div>
  );
}
