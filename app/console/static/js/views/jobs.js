// Jobs of all tenants, newest first: filtered by the address, so that a filter can be sent to somebody.

import { button, empty, field, filters, h, keyed, mark, say, select, table } from "../dom.js";
import { between, clock, duration, moment, now, plural, setStatus, shortId, status } from "../format.js";
import { poll } from "../live.js";
import { queueNames } from "../queues.js";
import { replay } from "./replay.js";

const STATUSES = [
  ["", "All"],
  ["queued", "Queued"],
  ["processing", "Running"],
  ["done", "Done"],
  ["failed", "Failed"],
  ["cancelled", "Cancelled"],
];
const TIMES = [
  ["", "Any time"],
  ["900", "Last 15 minutes"],
  ["3600", "Last hour"],
  ["86400", "Last day"],
  ["604800", "Last 7 days"],
];
const TEXTS = [
  ["tenant", "Tenant"],
  ["kind", "Kind"],
  ["lane", "Lane"],
  ["error", "Error"],
];
const FILTERS = ["status", "queue", "within", ...TEXTS.map(([name]) => name)];

export const addressOf = (filter) => {
  const query = new URLSearchParams(Object.entries(filter).filter(([, value]) => value));
  return `#/jobs${query.size ? `?${query}` : ""}`;
};

export async function show(view) {
  const { root, client, signal, query, rest, focused } = view;
  if (rest.length) return (await import("./job.js")).show(view);
  const filter = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""]));
  const go = (more) => {
    location.hash = addressOf({ ...filter, ...more }).slice(1);
  };
  const queues = (await queueNames(client, signal)).map((name) => [name, name]);

  const again = button("Replay these…", () => replay(client, filter), null);
  again.hidden = filter.status !== "failed";
  const chips = h(
    "nav",
    { class: "chips", "aria-label": "Status" },
    STATUSES.map(([value, title]) =>
      h(
        "a",
        { href: addressOf({ ...filter, status: value }), "aria-current": value === filter.status && "true" },
        title,
      ),
    ),
  );
  const form = h(
    "form",
    { class: "filter", "aria-label": "Filter" },
    field("Queue", select([["", "All queues"], ...queues], filter.queue, { name: "queue" })),
    field("Submitted", select(TIMES, filter.within, { name: "within" })),
    TEXTS.map(([name, title]) =>
      field(title, h("input", { name, value: filter[name], autocomplete: "off", spellcheck: "false" })),
    ),
    h("button", null, "Apply"),
    FILTERS.some((name) => filter[name]) && h("a", { class: "button", href: "#/jobs" }, "Clear"),
  );
  form.addEventListener("change", () => go(Object.fromEntries(new FormData(form))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go(Object.fromEntries(new FormData(form)));
  });

  const { element: scroll, body } = jobTable("Jobs");
  const nothing = empty(
    "No job fits",
    FILTERS.some((name) => filter[name]) ? "Loosen the filter, or clear it." : "Nothing has been submitted yet.",
  );
  const older = h("a", { class: "button" }, "Older"),
    note = h("span", { class: "note" });
  const cursor = query.get("cursor");
  const pager = h(
    "footer",
    { class: "pager" },
    note,
    cursor && h("a", { class: "button", href: addressOf(filter) }, "Newest"),
    older,
  );
  nothing.hidden = pager.hidden = true;
  root.append(
    h("div", { class: "head" }, h("h1", null, "Jobs"), chips, h("div", { class: "actions" }, again)),
    filters(form),
    h("section", { class: "panel", "aria-label": "List" }, scroll, nothing, pager),
  );
  if (focused) form.elements[focused]?.focus();

  const since = filter.within && new Date(now() - 1000 * filter.within).toISOString();
  const { within, ...asked } = filter;
  const refresh = async () => {
    const found = await client.get("/admin/jobs", { ...asked, created_after: since, cursor, limit: 50 }, signal);
    keyed(body, found.data, (job) => job.job_id, jobRow);
    scroll.hidden = !found.data.length;
    nothing.hidden = !!found.data.length;
    pager.hidden = !found.data.length;
    older.hidden = !found.has_more;
    mark(older, "href", addressOf({ ...filter, cursor: found.next_cursor }));
    const last = found.data.at(-1);
    say(
      note,
      last &&
        `${plural(found.data.length, "job")}, back to ${clock(last.created_at)}${cursor ? "" : "; kept up to date"}`,
    );
  };
  if (cursor)
    await refresh(); // what was, stays
  else await poll(4, refresh, signal);
}

export function jobTable(label, cls = "cards") {
  return table(
    [
      { title: "Status" },
      { title: "Kind" },
      { title: "Tenant" },
      { title: "Queue" },
      { title: "Lane" },
      { title: "Tries", cls: "number" },
      { title: "Submitted" },
      { title: "Took" },
      { title: "Error" },
      { title: "Id" },
    ],
    { label, cls },
  );
}

export function jobRow(first) {
  const state = status(first.status),
    tries = h("td", { class: "number" }),
    took = h("td"),
    error = h("td", { class: "clip mono" });
  const element = h(
    "tr",
    {
      onclick: (event) => {
        if (!event.target.closest("a") && !getSelection().toString()) location.hash = `#/jobs/${first.job_id}`;
      },
    },
    h("td", null, state),
    h("td", null, h("a", { class: "row", href: `#/jobs/${first.job_id}` }, first.kind)),
    h("td", null, first.tenant_id),
    h("td", null, first.queue),
    h("td", { class: "clip", title: first.lane_id }, first.lane_id),
    tries,
    h("td", null, moment(first.created_at)),
    took,
    error,
    h("td", { class: "mono faint", title: first.job_id }, shortId(first.job_id)),
  );
  function update(job) {
    setStatus(state, job.status);
    if (job.status === "processing" && job.progress) say(state, `Running ${job.progress}%`);
    else if (job.status === "queued" && job.run_at && Date.parse(job.run_at) > now()) say(state, "Scheduled");
    say(tries, job.attempt);
    say(
      took,
      job.started_at ? duration(between(job.created_at, job.finished_at ?? new Date(now()).toISOString())) : "",
    );
    say(error, job.error ?? "");
  }
  return { element, update };
}
