// What happens to a job, as it happens. Bounded: however long somebody looks, the page grows no further.

import { h, keyed, panel, say, empty } from "../dom.js";
import { clock, count, plural, setStatus, status, now } from "../format.js";

const KEPT = 200;
const WORDS = { queued: "queued", started: "processing", progress: "processing", reset: "retry" };
const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export function eventLog(client, path) {
  const list = h("ol", { class: "events", tabindex: "0", "aria-label": "Live events" });
  const none = empty("Nothing told yet", "Events are kept for an hour after they happened.");
  const note = h("span");
  const element = panel("Live events", { note }, none, list);
  list.hidden = true;
  let rows = [],
    heard = 0,
    running = null,
    drawn = false;

  function hear({ event, data, id }) {
    heard += 1;
    const last = rows.at(-1);
    // A chat's tokens and a job's steps are one line each, which moves: a thousand lines would tell no more.
    if (
      last &&
      last.event === event &&
      (event === "delta" || event === "progress") &&
      last.data.attempt === data.attempt
    ) {
      rows[rows.length - 1] = {
        ...last,
        data,
        at: momentOf(id),
        times: last.times + 1,
        size: last.size + (data.size ?? 0),
      };
    } else {
      rows.push({ key: heard, event, data, at: momentOf(id), times: 1, size: data.size ?? 0 });
      if (rows.length > KEPT) rows.splice(0, rows.length - KEPT);
    }
    if (!drawn) {
      drawn = true;
      requestAnimationFrame(draw);
    }
  }

  function draw() {
    drawn = false;
    none.hidden = rows.length > 0;
    list.hidden = !rows.length;
    const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 8;
    keyed(list, rows, (row) => row.key, line);
    if (atEnd) list.scrollTop = list.scrollHeight;
    say(note, `${plural(heard, "event")} heard`);
  }

  async function follow(signal) {
    running?.abort();
    running = new AbortController();
    rows = [];
    heard = 0;
    await client.events(`${path}/events`, hear, AbortSignal.any([signal, running.signal]));
  }
  return { element, follow };
}

// The stream's ids begin with the server's milliseconds; what was told from the database has none.
const momentOf = (id) => (id ? Number(id.split("-")[0]) : now());

function line() {
  const when = h("time"),
    name = status("queued"),
    text = h("span");
  const element = h("li", null, when, name, text);
  function update({ event, data, at, times, size }) {
    say(when, time.format(at));
    when.title = clock(at);
    setStatus(name, WORDS[event] ?? event);
    say(name, event);
    say(
      text,
      {
        progress: `${data.progress}%${data.step ? `, ${data.step}` : ""}${times > 1 ? ` (${count(times)} steps)` : ""}`,
        delta: `${plural(times, "piece")} of the reply, ${plural(size, "character")}`,
        reset: "what was told before is void: another delivery begins",
        failed: `${data.error ?? ""} ${data.error_detail ?? ""}`,
      }[event] ?? (data.attempt ? `attempt ${data.attempt}` : ""),
    );
  }
  return { element, update };
}
