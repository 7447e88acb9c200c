// Every delivery of a job: to scale, and as a list.

import { empty, h, keyed, mark, say, svg, table } from "../dom.js";
import { between, duration, moment, NONE, now, setStatus, shortId, since, status } from "../format.js";

// From the submit to the end or to now, to scale: light is waiting, colour is a delivery.
export function timeline() {
  const canvas = svg("svg", { preserveAspectRatio: "none", viewBox: "0 0 1000 34", role: "img" });
  const total = h("span");
  const element = h(
    "div",
    { class: "timeline" },
    canvas,
    h("div", { class: "axis" }, h("span", null, "submitted"), total),
  );
  function update(job) {
    const from = Date.parse(job.created_at),
      to = job.finished_at ? Date.parse(job.finished_at) : now();
    const x = (at) => (1000 * Math.max(0, Math.min(to, at) - from)) / Math.max(1, to - from);
    const bar = (start, end, is, text, y, height) =>
      svg(
        "rect",
        { x: x(start), width: Math.max(3, x(end) - x(start)), y, height, "data-is": is, rx: 1 },
        svg("title", null, text),
      );
    const words = job.attempts.map(
      (each) =>
        `attempt ${each.attempt} ${each.status} after ${duration(between(each.started_at, each.finished_at ?? new Date(to).toISOString()))}`,
    );
    canvas.replaceChildren(
      bar(from, to, "waiting", "Waiting", 13, 8),
      ...job.attempts.map((each, number) =>
        bar(
          Date.parse(each.started_at),
          each.finished_at ? Date.parse(each.finished_at) : to,
          each.status,
          words[number],
          3,
          28,
        ),
      ),
    );
    mark(canvas, "aria-label", `Timeline: ${words.join(", ") || "not begun"}`);
    say(total, `${job.finished_at ? "ended" : "now"}, ${duration((to - from) / 1000)} later`);
  }
  return { element, update };
}

export function attempts() {
  const { element, body } = table(
    [
      { title: "Try" },
      { title: "Outcome" },
      { title: "Began" },
      { title: "Took" },
      { title: "Worker" },
      { title: "Error" },
    ],
    { label: "Attempts" },
  );
  const none = empty("Not begun yet", "It waits for its moment, its lane or a free slot.");
  const both = h("div", null, element, none);
  function update(job) {
    mark(element, "hidden", !job.attempts.length);
    mark(none, "hidden", job.attempts.length > 0);
    keyed(
      body,
      job.attempts,
      (each) => each.attempt,
      (each) => {
        const state = status(each.status),
          took = h("td"),
          error = h("td", { class: "long" });
        const row = h(
          "tr",
          null,
          h("td", null, each.attempt),
          h("td", null, state),
          h("td", null, moment(each.started_at)),
          took,
          h("td", { class: "mono faint", title: each.worker_id }, each.worker_id ? shortId(each.worker_id) : NONE),
          error,
        );
        return {
          element: row,
          update: (now_) => {
            setStatus(state, now_.status);
            say(took, duration(now_.finished_at ? now_.duration_ms / 1000 : since(now_.started_at)));
            if (error.childNodes.length === 0 && now_.error)
              error.append(h("code", null, now_.error), now_.error_detail ? ` ${now_.error_detail}` : "");
          },
        };
      },
    );
  }
  return { element: both, update };
}
