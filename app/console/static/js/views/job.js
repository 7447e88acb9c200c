// One job: how it stands, each try, what happens right now, its lane, and on request what is in it.

import { ask } from "../dialog.js";
import { button, empty, h, mark, panel, say } from "../dom.js";
import { between, count, duration, moment, plural, setMoment, setStatus, since, status } from "../format.js";
import { complain, poll, tell } from "../live.js";
import { attempts, timeline } from "./attempts.js";
import { eventLog } from "./events.js";
import { neighbours } from "./neighbours.js";

const LIVE = ["queued", "processing"];

export async function show({ root, client, signal, rest: [id] }) {
  const path = `/admin/jobs/${encodeURIComponent(id)}`;
  let job;
  try {
    job = await client.get(path, null, signal);
  } catch (error) {
    if (error.status !== 404) throw error;
    root.append(
      h("h1", null, "Job"),
      h(
        "section",
        { class: "panel" },
        empty("No such job", error.message, h("p", null, h("a", { href: "#/jobs" }, "All jobs"))),
      ),
    );
    return;
  }
  const views = [
    head(client, job),
    facts(job),
    timeline(),
    attempts(),
    eventLog(client, path),
    neighbours(client, job, signal),
  ];
  const [top, about, line, tries, events, lane] = views;
  root.append(
    top.element,
    h(
      "div",
      { class: "columns" },
      h("div", null, panel("Attempts", {}, line.element, tries.element), events.element, content(client, path, job)),
      h("div", null, panel("About", {}, about.element), lane.element ?? []),
    ),
  );

  let following = null;
  await poll(
    2,
    async () => {
      job = await client.get(path, null, signal);
      for (const view of views) view.update?.(job);
      if (following !== job.retries) {
        // a retried job has a new story
        following = job.retries;
        events.follow(signal).catch((error) => {
          if (!signal.aborted) complain(error);
        });
      }
    },
    signal,
  );
}

function head(client, first) {
  const state = status(first.status),
    bar = h("progress", { max: 100, "aria-label": "Progress" }),
    step = h("span", { class: "note" });
  const code = h("code"),
    detail = h("p"),
    wrong = h("div", { class: "panel error" }, code, detail);
  let job = first;
  const act = (title, lines, verb, danger, deed) => async () => {
    const done = await ask({
      title,
      body: h(
        "ul",
        { class: "consequences" },
        lines().map((line) => h("li", null, line)),
      ),
      verb,
      danger,
      close: "Not now",
      act: () => client.post(`/admin/jobs/${job.job_id}/${deed}`),
    });
    if (done) {
      tell(
        deed === "retry"
          ? "The job is queued again."
          : done.status === "cancelled"
            ? "The job is cancelled."
            : "Its worker is stopping the job.",
      );
      update(done);
    }
  };
  const cancel = button(
    "Cancel…",
    act(
      "Cancel this job?",
      () => [
        job.status === "queued"
          ? "It waits, and ends at once; nothing of it will run."
          : "Its worker stops it, usually within a second; what it has not finished is lost.",
        "A cancelled job stays cancelled. The next of its lane may begin.",
        `It is noted in the audit log of ${job.tenant_id}.`,
      ],
      "Cancel the job",
      true,
      "cancel",
    ),
  );
  const retry = button(
    "Retry…",
    act(
      "Retry this job?",
      () => [
        `It keeps its id and input, and gets a fresh budget of ${plural(job.max_attempts, "attempt")}.`,
        job.lane_id ? "It goes to the tail of its lane." : "It is queued at once.",
        `It is noted in the audit log of ${job.tenant_id}.`,
      ],
      "Retry the job",
      false,
      "retry",
    ),
    "primary",
  );
  const element = h(
    "div",
    { class: "view" },
    h("div", { class: "head" }, h("h1", null, first.kind), state, step, h("div", { class: "actions" }, cancel, retry)),
    bar,
    wrong,
  );
  function update(now) {
    job = now;
    setStatus(state, job.status);
    if (job.cancel_requested_at && job.status === "processing") say(state, "Running, being cancelled");
    say(step, job.status === "processing" && job.step ? job.step : "");
    mark(bar, "value", job.progress);
    mark(bar, "hidden", job.status !== "processing");
    mark(wrong, "hidden", !job.error);
    say(code, job.error);
    say(detail, job.error_detail);
    mark(cancel, "hidden", !LIVE.includes(job.status));
    mark(retry, "hidden", job.status !== "failed");
  }
  update(first);
  return { element, update };
}

function facts(first) {
  const rows = new Map();
  const row = (name, value) => {
    const both = [h("dt", null, name), h("dd", null, value)];
    rows.set(name, {
      set: (write, told) => {
        write(value, told);
        for (const each of both) mark(each, "hidden", !told);
      },
    });
    return both;
  };
  const copy = button(
    "Copy",
    () => navigator.clipboard.writeText(first.job_id).then(() => tell("The id is copied."), complain),
    "quiet",
  );
  const element = h(
    "dl",
    { class: "facts" },
    h("dt", null, "Id"),
    h("dd", null, h("span", { class: "mono" }, first.job_id), " ", copy),
    h("dt", null, "Tenant"),
    h("dd", null, h("a", { href: `#/jobs?tenant=${first.tenant_id}` }, first.tenant_id)),
    h("dt", null, "Queue"),
    h("dd", null, h("a", { href: `#/jobs?queue=${first.queue}` }, first.queue)),
    row("Submitted", moment(first.created_at)),
    row("Not before", moment(null)),
    row("Dispatched", moment(null)),
    row("First begun", moment(null)),
    row("Ended", moment(null)),
    row("Waited", h("span")),
    row("Failures", h("span")),
    row("Priority", h("span")),
    row("Lane", h("span")),
    row("Request", h("span", { class: "mono" })),
    row("Session", h("span", { class: "mono" })),
  );
  function update(job) {
    for (const [name, value] of [
      ["Submitted", job.created_at],
      ["Not before", job.run_at],
      ["Dispatched", job.dispatched_at],
      ["First begun", job.started_at],
      ["Ended", job.finished_at],
    ])
      rows.get(name).set(setMoment, value);
    rows
      .get("Waited")
      .set(say, duration(between(job.created_at, job.started_at ?? job.finished_at) ?? since(job.created_at)));
    rows
      .get("Failures")
      .set(
        say,
        `${job.failures} of ${job.max_attempts}${job.losses ? `, and ${plural(job.losses, "worker")} lost` : ""}${job.retries ? `, retried ${plural(job.retries, "time")}` : ""}`,
      );
    rows.get("Priority").set(say, `${job.priority}${job.bulk ? ", bulk" : ""}`);
    rows.get("Lane").set(say, job.lane_id ?? "none");
    rows.get("Request").set(say, job.request_id);
    rows.get("Session").set(say, job.session_id);
  }
  return { element, update };
}

function content(client, path, job) {
  const shown = h("div");
  const look = (part) =>
    button(`Show ${part}`, async (event) => {
      event.target.disabled = true;
      try {
        const found = await client.get(path, { include: part });
        const text = JSON.stringify(found[part], null, 2);
        shown.querySelector(`[data-part=${part}]`)?.remove();
        shown.append(
          h(
            "pre",
            { data: { part }, tabindex: "0", "aria-label": part },
            text.length > 100_000 ? `${text.slice(0, 100_000)}\n… ${count(text.length)} characters in all` : text,
          ),
        );
      } catch (error) {
        complain(error);
      }
      event.target.disabled = false;
    });
  return panel(
    "Content",
    { note: `To look is written into the audit log of ${job.tenant_id}.`, actions: [look("input"), look("result")] },
    shown,
  );
}
