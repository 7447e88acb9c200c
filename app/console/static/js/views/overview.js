// Every queue at a glance: how it stands, how the last hour went, and who works on it.

import { empty, h, keyed, mark, panel, say, table } from "../dom.js";
import { count, duration, moment, NONE, now, plural, rate, setMoment, setStatus, shortId, status } from "../format.js";
import { poll } from "../live.js";
import { plot } from "../plot.js";
import { buttons } from "./flow.js";

const FRESH = 2; // seconds between two looks at the queues and workers
const SPAN = 3_600_000;
const NOTHING = [];

export async function show({ root, client, signal }) {
  const totals = figures([
    ["oldest", "Oldest ready"],
    ["ready", "Ready"],
    ["running", "Running"],
    ["done", "Done"],
    ["failed", "Failed, last hour"],
    ["workers", "Workers"],
  ]);
  const list = h("div", { class: "queues" });
  const workers = crew();
  root.append(h("h1", { class: "unseen" }, "Overview"), totals.element, panel("Queues", {}, list), workers.element);

  const samples = new Map(); // by queue, the last hour's
  let queues = [],
    interval = 10;

  const draw = () => {
    const rows = keyed(
      list,
      queues,
      (queue) => queue.queue,
      (queue) => queueRow(queue, client, refresh),
    );
    for (const [name, row] of rows) row.draw(samples.get(name) ?? NOTHING, interval);
    sum(totals, queues, samples, interval);
  };
  const refresh = async () => {
    const [found, crewNow] = await Promise.all([
      client.get("/admin/queues", null, signal),
      client.get("/admin/workers", null, signal),
    ]);
    queues = found.data;
    draw();
    workers.update(crewNow.data);
  };
  // The whole hour once, and then only what is new.
  const resample = async () => {
    const minutes = samples.size ? 2 : 60;
    for (const each of (await client.get("/admin/samples", { minutes }, signal)).data) {
      interval = each.interval_seconds;
      samples.set(each.queue, merge(samples.get(each.queue) ?? [], each.samples));
    }
    draw();
  };
  await Promise.all([poll(FRESH, refresh, signal), poll(10, resample, signal)]);
}

export function merge(known, fresh) {
  const newest = known.at(-1)?.at ?? 0;
  const added = fresh.map((each) => ({ ...each, at: Date.parse(each.sampled_at) })).filter((each) => each.at > newest);
  const all = [...known, ...added];
  const edge = all.length ? all.at(-1).at - SPAN : 0;
  return all.filter((each) => each.at >= edge);
}

function figures(names) {
  const values = new Map();
  const element = h(
    "dl",
    { class: "figures" },
    names.map(([name, title]) => {
      const value = h("span", null, NONE),
        more = h("small");
      values.set(name, { value, more });
      return h("div", null, h("dt", null, title), h("dd", null, value, more));
    }),
  );
  const set = (name, text, more = "", is = null) => {
    const each = values.get(name);
    say(each.value, text);
    say(each.more, more);
    mark(each.value, "data-is", is);
  };
  return { element, set };
}

const total = (rows, name) => rows.reduce((sum, row) => sum + (row[name] ?? 0), 0);

function sum(figures, queues, samples, interval) {
  const oldest = queues
    .filter((queue) => queue.oldest_ready_seconds !== null)
    .sort((a, b) => b.oldest_ready_seconds - a.oldest_ready_seconds)[0];
  figures.set(
    "oldest",
    oldest ? duration(oldest.oldest_ready_seconds) : "0s",
    oldest ? `in ${oldest.queue}` : "nothing waits",
  );
  figures.set(
    "ready",
    count(total(queues, "ready")),
    `${count(total(queues, "scheduled"))} scheduled, ${count(total(queues, "blocked"))} in lanes`,
  );
  figures.set("running", count(total(queues, "processing")), `of ${plural(total(queues, "slots"), "slot")}`);
  const lately = queues.map((queue) => done(samples.get(queue.queue) ?? [], interval)).filter((each) => each !== null);
  figures.set("done", lately.length ? rate(lately.reduce((a, b) => a + b, 0)) : NONE, "the last minute");
  const failed = queues.reduce((sum, queue) => sum + total(samples.get(queue.queue) ?? [], "failed"), 0);
  figures.set("failed", count(failed), failed ? "" : "none", failed ? "bad" : null);
  const unmanned = queues.filter((queue) => !queue.workers).length;
  figures.set(
    "workers",
    count(total(queues, "workers")),
    unmanned ? `${plural(unmanned, "queue")} without` : "every queue has one",
    unmanned ? "warn" : null,
  );
}

function done(samples, interval) {
  const last = samples.filter((each) => each.at > now() - 75_000); // nothing where nobody samples any more
  return last.length ? total(last, "done") / (last.length * interval) : null;
}

function queueRow(first, client, refresh) {
  const state = status(first.state);
  const facts = figures([
    ["oldest", "Oldest ready"],
    ["ready", "Ready"],
    ["running", "Running"],
    ["scheduled", "Scheduled"],
    ["blocked", "In lanes"],
    ["failed", "Failed, 1 h"],
  ]);
  const work = plot({
    title: "Throughput",
    format: rate,
    least: 1,
    series: [
      { name: "done", cls: "good" },
      { name: "failed", cls: "bad", spikes: true },
    ],
  });
  const wait = plot({
    title: "Latency",
    format: duration,
    least: 0.1,
    series: [
      { name: "p95", cls: "soft" },
      { name: "p50", cls: "good" },
    ],
  });
  const deeds = buttons(client, refresh);
  const name = h("a", { href: `#/jobs?queue=${first.queue}` }, first.queue);
  const element = h(
    "article",
    { class: "queue", "aria-label": `Queue ${first.queue}` },
    h("header", null, h("h3", null, name), state, deeds.element),
    facts.element,
    work.element,
    wait.element,
  );

  function update(queue) {
    setStatus(state, queue.workers || queue.state !== "running" ? queue.state : "unmanned");
    if (!queue.workers && queue.state === "running") say(state, "No worker");
    mark(element, "data-state", queue.state);
    deeds.update(queue);
    facts.set("oldest", queue.oldest_ready_seconds === null ? NONE : duration(queue.oldest_ready_seconds));
    facts.set("ready", count(queue.ready));
    facts.set("running", count(queue.processing), `of ${count(queue.slots)}`);
    facts.set("scheduled", count(queue.scheduled));
    facts.set("blocked", count(queue.blocked));
  }
  let drawn = null;
  function draw(samples, interval) {
    if (drawn === samples) return;
    drawn = samples;
    const failed = total(samples, "failed");
    facts.set("failed", count(failed), "", failed ? "bad" : null);
    work.draw(
      samples.map(({ at, done, failed }) => ({ at, values: [done / interval, failed / interval] })),
      interval,
    );
    wait.draw(
      samples.map(({ at, latency_p50, latency_p95 }) => ({ at, values: [latency_p95, latency_p50] })),
      interval,
    );
  }
  return { element, update, draw };
}

function crew() {
  const columns = [
    { title: "Queue" },
    { title: "Process" },
    { title: "Load", cls: "wide" },
    { title: "Version" },
    { title: "Up since" },
    { title: "State" },
    { title: "Id" },
  ];
  const { element: scroll, body } = table(columns, { label: "Workers" });
  const nobody = empty(
    "No worker is registered",
    "Start one with homeroom worker NAME; it shows up here within seconds.",
  );
  nobody.hidden = true;
  const element = panel("Workers", {}, scroll, nobody);
  function update(workers) {
    scroll.hidden = !workers.length;
    nobody.hidden = !!workers.length;
    keyed(body, workers, (worker) => worker.worker_id, workerRow);
  }
  return { element, update };
}

function workerRow(worker) {
  const bar = h("meter", { min: 0, "aria-label": "Load" });
  const load = h("span"),
    version = h("td", { class: "mono" }),
    state = status("running");
  const started = moment(worker.started_at);
  const element = h(
    "tr",
    null,
    h("td", null, worker.queue),
    h("td", { class: "mono" }, `${worker.host}:${worker.pid}`),
    h("td", { class: "load" }, bar, load),
    version,
    h("td", null, started),
    h("td", null, state),
    h("td", { class: "mono faint", title: worker.worker_id }, shortId(worker.worker_id)),
  );
  function update(now) {
    mark(bar, "max", now.slots);
    mark(bar, "value", now.load);
    say(load, `${now.load} / ${now.slots}`);
    say(version, now.version);
    setMoment(started, now.started_at);
    setStatus(state, now.alive ? "alive" : "lost");
    say(state, now.alive ? "Alive" : "Lost");
    mark(element, "data-lost", !now.alive);
  }
  return { element, update };
}
