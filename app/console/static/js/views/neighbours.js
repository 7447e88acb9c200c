// A job's place in its lane.

import { h, keyed, mark, panel, say } from "../dom.js";
import { plural } from "../format.js";
import { complain } from "../live.js";
import { jobRow, jobTable } from "./jobs.js";

const LIVE = ["queued", "processing"];

// Those before and behind it in its lane; a lane runs strictly one after the other.
export function neighbours(client, first, signal) {
  if (!first.lane_id) return { element: null };
  const { element: scroll, body } = jobTable("Neighbours in the lane", "lean");
  const note = h("p", { class: "note" });
  const element = panel(
    "Lane",
    {
      note: first.lane_id,
      actions: [
        h(
          "a",
          { href: `#/jobs?tenant=${first.tenant_id}&queue=${first.queue}&lane=${encodeURIComponent(first.lane_id)}` },
          "All of it",
        ),
      ],
    },
    h("div", { class: "body" }, note),
    scroll,
  );
  const lane = { tenant: first.tenant_id, queue: first.queue, lane: first.lane_id };
  let asked = 0;
  function update(job) {
    if (asked++ % 3) return; // every third look at the job will do
    Promise.all([
      client.get("/admin/jobs", { ...lane, status: "processing", limit: 1 }, signal),
      client.get("/admin/jobs", { ...lane, status: "queued", limit: 20 }, signal),
      client.get("/admin/jobs", { ...lane, created_before: job.created_at, limit: 4 }, signal),
    ])
      .then((pages) => {
        const known = new Map([...pages.flatMap((page) => page.data), job].map((each) => [each.job_id, each]));
        const rows = [...known.values()].sort((a, b) => a.lane_seq - b.lane_seq);
        for (const [id, row] of keyed(body, rows, (each) => each.job_id, jobRow))
          mark(row.element, "aria-current", id === job.job_id && "true");
        const before = rows.filter((each) => LIVE.includes(each.status) && each.lane_seq < job.lane_seq).length;
        say(
          note,
          !LIVE.includes(job.status)
            ? "This job has left the lane."
            : before
              ? `${plural(before, "job")} before it.`
              : "It is this job's turn.",
        );
      })
      .catch((error) => {
        if (!signal.aborted) complain(error);
      });
  }
  return { element, update };
}
