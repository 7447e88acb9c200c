// The schools: who gets how much of each queue, whether that is fair, and what each may use.

import { empty, h, keyed, mark, panel, say, svg, table } from "../dom.js";
import { count, moment, NONE, plural } from "../format.js";
import { poll } from "../live.js";
import { queueNames } from "../queues.js";

const UNITS = { upload_file_bytes: "bytes", upload_total_bytes: "bytes", retention_days: "days" };

export async function show({ root, client, signal, query, rest: [id] }) {
  if (id) return showOne({ root, client, signal, id });
  const queues = await queueNames(client, signal);
  const queue = query.get("queue") ?? queues[0];
  const choice = h(
    "nav",
    { class: "chips", "aria-label": "Queue" },
    queues.map((name) => h("a", { href: `#/tenants?queue=${name}`, "aria-current": name === queue && "true" }, name)),
  );
  const verdict = h("p"),
    hint = h("p", { class: "note" }),
    index = h("strong", { class: "index" });
  const { element: scroll, body } = table(
    [
      { title: "Tenant" },
      { title: "Weight", cls: "number" },
      { title: "Waiting", cls: "number" },
      { title: "Running", cls: "number" },
      { title: "Ended", cls: "number" },
      { title: "Share and what is due" },
      { title: "State" },
      { title: "Since" },
    ],
    { label: "Tenants", cls: "cards" },
  );
  const nobody = empty("No tenant yet", "homeroom tenant create NAME registers one.");
  nobody.hidden = true;
  const note = h("span", { class: "note" });
  root.append(
    h("div", { class: "head" }, h("h1", null, "Tenants"), choice),
    h("section", { class: "panel fairness", "aria-label": "Fairness" }, index, h("div", null, verdict, hint)),
    h("section", { class: "panel", "aria-label": "List" }, scroll, nobody, h("footer", { class: "pager" }, note)),
  );

  const tenants = new Map();
  const register = async () => {
    let cursor = null;
    do {
      // tenants are few; a country's are read page by page and once
      const page = await client.get("/admin/tenants", { limit: 100, cursor }, signal);
      for (const each of page.data) tenants.set(each.tenant_id, each);
      cursor = page.next_cursor;
    } while (cursor && tenants.size < 2_000);
  };
  await register();
  await poll(
    4,
    async () => {
      const [found] = (await client.get("/admin/shares", { queue, seconds: 60 }, signal)).data;
      judge(found);
      const active = new Map(found.tenants.map((each) => [each.tenant_id, each]));
      const rows = [
        ...found.tenants,
        ...[...tenants.keys()]
          .filter((each) => !active.has(each))
          .map((each) => ({
            tenant_id: each,
            weight: tenants.get(each).limits.weight,
            waiting: 0,
            running: 0,
            ended: 0,
            share: null,
            due: null,
          })),
      ];
      keyed(
        body,
        rows.slice(0, 500),
        (row) => row.tenant_id,
        (row) => tenantRow(row, tenants.get(row.tenant_id)),
      );
      scroll.hidden = !rows.length;
      nobody.hidden = !!rows.length;
      say(note, `${plural(tenants.size, "tenant")}; of ${queue}, the last minute's ${plural(found.ended, "job")}`);
    },
    signal,
  );

  function judge({ fairness, tenants: found }) {
    const waiting = found.filter((each) => each.due !== null);
    say(index, fairness === null ? NONE : fairness.toFixed(fairness > 0.995 ? 3 : 2));
    mark(index, "data-is", fairness !== null && fairness < 0.8 ? "warn" : null);
    say(
      verdict,
      fairness === null
        ? `Nobody competes for ${queue}.`
        : fairness >= 0.95
          ? `${queue} is shared fairly between ${plural(waiting.length, "tenant")} that wait.`
          : `Of ${queue}, ${plural(waiting.length, "tenant")} wait; not each has had its share in the last minute.`,
    );
    say(
      hint,
      "Jain's index of the jobs each waiting tenant got for its weight: 1 is exactly fair. One that has just begun to wait lowers it for a moment.",
    );
  }
}

function tenantRow(first, record) {
  const numbers = ["weight", "waiting", "running", "ended"].map((name) => [
    name,
    h("td", { class: "number", "data-name": name }),
  ]);
  const part = svg("rect", { class: "part", x: 0, y: 0, width: 0, height: 10 }),
    due = svg("line", { class: "due", y1: -3, y2: 13 });
  const bar = h(
    "div",
    { class: "share" },
    svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, part, due),
  );
  const words = h("span", { class: "faint" });
  const state = !record ? "unregistered" : record.erased_at ? "erased" : record.enabled ? "enabled" : "disabled";
  const element = h(
    "tr",
    {
      onclick: (event) => {
        if (!event.target.closest("a")) location.hash = `#/tenants/${first.tenant_id}`;
      },
    },
    h("td", null, h("a", { class: "row", href: `#/tenants/${first.tenant_id}` }, first.tenant_id)),
    numbers.map(([, cell]) => cell),
    h("td", null, h("div", { class: "shares" }, bar, words)),
    h("td", { class: state === "enabled" ? "faint" : "" }, state),
    h("td", null, record ? moment(record.created_at) : NONE),
  );
  function update(row) {
    for (const [name, cell] of numbers)
      say(
        cell,
        name === "weight" ? row.weight : `${count(row[name])}${name === "waiting" && row.waiting_more ? "+" : ""}`,
      );
    mark(part, "width", 100 * (row.share ?? 0));
    mark(due, "visibility", row.due === null ? "hidden" : "visible");
    mark(due, "x1", 100 * (row.due ?? 0));
    mark(due, "x2", 100 * (row.due ?? 0));
    say(
      words,
      row.share === null
        ? ""
        : `${Math.round(100 * row.share)}%${row.due === null ? "" : ` of ${Math.round(100 * row.due)}%`}`,
    );
  }
  return { element, update };
}

async function showOne({ root, client, signal, id }) {
  const tenant = await client.get(`/admin/tenants/${encodeURIComponent(id)}`, null, signal).catch((error) => {
    if (error.status !== 404 && error.status !== 422) throw error;
    root.append(
      h("h1", null, "Tenant"),
      h(
        "section",
        { class: "panel" },
        empty("No such tenant", error.message, h("p", null, h("a", { href: "#/tenants" }, "All tenants"))),
      ),
    );
  });
  if (!tenant) return;
  const { element: parts, body } = table(
    [
      { title: "Queue" },
      { title: "Waiting", cls: "number" },
      { title: "Running", cls: "number" },
      { title: "Ended, last minute", cls: "number" },
      { title: "Share", cls: "number" },
      { title: "Due", cls: "number" },
    ],
    { label: "By queue" },
  );
  root.append(
    h(
      "div",
      { class: "head" },
      h("h1", null, id),
      h(
        "p",
        { class: "note" },
        tenant.erased_at ? "erased" : tenant.enabled ? "enabled" : "disabled: its keys do not work",
      ),
      h(
        "div",
        { class: "actions" },
        h("a", { class: "button", href: `#/jobs?tenant=${id}` }, "Its jobs"),
        h("a", { class: "button", href: `#/lanes?tenant=${id}` }, "Its lanes"),
      ),
    ),
    h(
      "div",
      { class: "columns" },
      h("div", null, panel("By queue", {}, parts)),
      h(
        "div",
        null,
        panel(
          "Limits",
          { note: "in force, defaults included" },
          h(
            "dl",
            { class: "facts" },
            Object.entries(tenant.limits).map(([name, value]) => [
              h("dt", null, name.replaceAll("_", " ").replace(/ bytes$| days$/, "")),
              h(
                "dd",
                null,
                UNITS[name] === "bytes"
                  ? `${(value / 1048576).toFixed(0)} MB`
                  : `${count(value)}${UNITS[name] ? ` ${UNITS[name]}` : ""}`,
              ),
            ]),
          ),
        ),
      ),
    ),
  );
  await poll(
    4,
    async () => {
      const rows = (await client.get("/admin/shares", { seconds: 60 }, signal)).data.map(({ queue, tenants }) => ({
        queue,
        ...tenants.find((each) => each.tenant_id === id),
      }));
      keyed(
        body,
        rows,
        (row) => row.queue,
        (row) => {
          const cells = Array.from({ length: 5 }, () => h("td", { class: "number" }));
          const percent = (value) => (value === null || value === undefined ? NONE : `${Math.round(100 * value)}%`);
          return {
            element: h("tr", null, h("td", null, row.queue), cells),
            update: (now) => {
              [
                `${count(now.waiting ?? 0)}${now.waiting_more ? "+" : ""}`,
                count(now.running ?? 0),
                count(now.ended ?? 0),
                percent(now.share),
                percent(now.due),
              ].forEach((text, number) => say(cells[number], text));
            },
          };
        },
      );
    },
    signal,
  );
}
