// Failed jobs, queued again together: first the count, then batch by batch until none is left.

import { ask } from "../dialog.js";
import { h, say, mark } from "../dom.js";
import { count, now, plural } from "../format.js";
import { tell } from "../live.js";

const BATCH = 500;

// What a replay can be narrowed by; a list's other filters would promise what it does not do.
function wanted({ tenant, queue, kind, error, within }) {
  const filter = { tenant, queue, kind, error, failed_after: within && new Date(now() - 1000 * within).toISOString() };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value));
}

export async function replay(client, filter) {
  const body = wanted(filter);
  const dry = await client.post("/admin/jobs/replay", { ...body, dry_run: true });
  const by = Object.entries(body).map(([name, value]) => [h("dt", null, name.replace("_", " ")), h("dd", null, value)]);
  const narrower = filter.lane
    ? [h("p", { class: "note" }, "A replay knows no lanes: jobs of every lane are among these.")]
    : [];
  const kinds = tally(dry.sample, (job) => `${job.kind}: ${job.error}`);
  const bar = h("progress", { max: Math.max(1, dry.matched), value: 0, "aria-label": "Queued again", hidden: true });
  const told = h("p", { role: "status" });
  let stopped = false;

  const done = await ask({
    title: dry.matched ? `Replay ${plural(dry.matched, "failed job")}?` : "Nothing to replay",
    body: h(
      "div",
      { class: "replay" },
      h(
        "dl",
        { class: "facts" },
        by.length ? by : [h("dt", null, "Filter"), h("dd", null, "every failed job of every tenant")],
      ),
      narrower,
      dry.matched
        ? h(
            "ul",
            { class: "consequences" },
            h("li", null, "Each keeps its id and input, and gets a fresh budget of attempts."),
            h("li", null, "Jobs of a lane go to the lane's tail, in their order."),
            h("li", null, "What fails again from now on is not taken twice."),
          )
        : h("p", null, "No failed job fits this filter."),
      kinds.length > 0 && h("p", { class: "note" }, `The oldest ${dry.sample.length}: ${kinds.join(", ")}`),
      bar,
      told,
    ),
    verb: dry.matched ? `Queue ${count(dry.matched)} again` : null,
    close: "Close",
    act: async (dialog) => {
      dialog.addEventListener("close", () => {
        stopped = true;
      });
      bar.hidden = false;
      let replayed = 0,
        answer = { remaining: dry.matched };
      while (answer.remaining && !stopped) {
        answer = await client.post("/admin/jobs/replay", { ...body, failed_before: dry.failed_before, limit: BATCH });
        replayed += answer.replayed;
        mark(bar, "value", replayed);
        say(told, `${count(replayed)} queued again, ${count(answer.remaining)} to go`);
        if (!answer.replayed) break;
      }
      return { replayed, remaining: answer.remaining };
    },
  });
  if (done) tell(`${plural(done.replayed, "job")} queued again.`);
}

function tally(items, nameOf) {
  const counts = new Map();
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1);
  return [...counts].map(([name, number]) => `${number} of ${name}`);
}
