// Who waits for whom: lanes with live jobs, whose turn it is in each, and since when the next one waits.

import { empty, field, filters, h, keyed, mark, say, select, table } from "../dom.js";
import { count, duration, plural, setStatus, since, status } from "../format.js";
import { poll } from "../live.js";
import { queueNames } from "../queues.js";

const DOTS = 8; // a lane holds few jobs; more are told as a number

export async function show({ root, client, signal, query, focused }) {
  const filter = {
    queue: query.get("queue") ?? "",
    tenant: query.get("tenant") ?? "",
    waiting: query.get("waiting") ?? "0",
  };
  const cursor = query.get("cursor");
  const addressOf = (more) =>
    `#/lanes?${new URLSearchParams(Object.entries({ ...filter, ...more }).filter(([, value]) => value && value !== "0"))}`;
  const queues = (await queueNames(client, signal)).map((name) => [name, name]);
  const form = h(
    "form",
    { class: "filter", "aria-label": "Filter" },
    field("Queue", select([["", "All queues"], ...queues], filter.queue, { name: "queue" })),
    field("Tenant", h("input", { name: "tenant", value: filter.tenant, autocomplete: "off", spellcheck: "false" })),
    field(
      "Waiting",
      select(
        [
          ["0", "Any number"],
          ["1", "At least one"],
          ["3", "3 or more"],
          ["5", "5 or more"],
        ],
        filter.waiting,
        { name: "waiting" },
      ),
    ),
    h("button", null, "Apply"),
  );
  const go = () => {
    location.hash = addressOf(Object.fromEntries(new FormData(form))).slice(1);
  };
  form.addEventListener("change", go);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go();
  });

  const { element: scroll, body } = table(
    [
      { title: "Lane" },
      { title: "Tenant" },
      { title: "Queue" },
      { title: "Whose turn" },
      { title: "For" },
      { title: "Behind it" },
      { title: "Longest wait" },
    ],
    { label: "Lanes", cls: "cards" },
  );
  const nothing = empty(
    "No lane is live",
    filter.queue || filter.tenant || filter.waiting !== "0"
      ? "None fits the filter."
      : "Chats and updates of one student queue here, each in its own order.",
  );
  const next = h("a", { class: "button" }, "More"),
    note = h("span", { class: "note" });
  const pager = h(
    "footer",
    { class: "pager" },
    note,
    cursor && h("a", { class: "button", href: addressOf({}) }, "First page"),
    next,
  );
  nothing.hidden = pager.hidden = true;
  root.append(
    h(
      "div",
      { class: "head" },
      h("h1", null, "Lanes"),
      h("p", { class: "note" }, "Jobs of one lane run strictly one after the other."),
    ),
    filters(form),
    h("section", { class: "panel", "aria-label": "List" }, scroll, nothing, pager),
  );
  if (focused) form.elements[focused]?.focus();

  await poll(
    3,
    async () => {
      const found = await client.get("/admin/lanes", { ...filter, cursor, limit: 50 }, signal);
      keyed(body, found.data, (lane) => `${lane.queue} ${lane.tenant_id} ${lane.lane_id}`, laneRow);
      scroll.hidden = pager.hidden = !found.data.length;
      nothing.hidden = !!found.data.length;
      mark(next, "hidden", !found.has_more);
      mark(next, "href", addressOf({ cursor: found.next_cursor }));
      say(
        note,
        `${plural(found.data.length, "lane")} here; ${plural(
          found.data.reduce((sum, lane) => sum + lane.waiting, 0),
          "job waits",
          "jobs wait",
        )}`,
      );
    },
    signal,
  );
}

function laneRow(first) {
  const turn = h("a"),
    state = status(first.head.status),
    held = h("td"),
    behind = h("td"),
    dots = h("span", { class: "dots", "aria-hidden": "true" }),
    number = h("span"),
    wait = h("td");
  behind.append(dots, number);
  const jobs = `#/jobs?${new URLSearchParams({ tenant: first.tenant_id, queue: first.queue, lane: first.lane_id })}`;
  const element = h(
    "tr",
    null,
    h("td", { class: "clip", title: first.lane_id }, h("a", { class: "row", href: jobs }, first.lane_id)),
    h("td", null, first.tenant_id),
    h("td", null, first.queue),
    h("td", null, state, " ", turn),
    held,
    behind,
    wait,
  );
  function update(lane) {
    const { head, waiting } = lane;
    setStatus(state, head.status);
    if (head.status === "queued" && head.scheduled_for) say(state, "Tries again");
    say(turn, head.kind);
    mark(turn, "href", `#/jobs/${head.job_id}`);
    say(
      held,
      head.begun_at
        ? duration(since(head.begun_at))
        : head.scheduled_for
          ? `in ${duration(-since(head.scheduled_for))}`
          : "",
    );
    if (dots.childElementCount !== Math.min(waiting, DOTS))
      dots.replaceChildren(...Array.from({ length: Math.min(waiting, DOTS) }, () => h("i")));
    say(number, waiting ? count(waiting) : "nobody");
    mark(number, "class", !waiting && "faint");
    say(wait, lane.oldest_wait_seconds === null ? "" : duration(lane.oldest_wait_seconds));
  }
  return { element, update };
}
