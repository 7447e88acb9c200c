// A window to the tutor: the reply as it is written, and where the turn stands in its lane while it waits.

import { button, empty, field, h, keyed, mark, panel, say, select } from "../dom.js";
import { moment, plural, setMoment } from "../format.js";
import { complain, tell } from "../live.js";
import { sleep } from "../time.js";

const DRAWN = 1_000; // messages of one session on the page at most

export async function show({ root, client, signal, query }) {
  const who = {
    role: query.get("role") ?? "student",
    person: query.get("person") ?? "",
    session: query.get("session") ?? "main",
  };
  const form = h(
    "form",
    { class: "panel who", "aria-label": "Who talks" },
    field(
      "As",
      select(
        [
          ["student", "Student"],
          ["teacher", "Teacher"],
        ],
        who.role,
        { name: "role" },
      ),
    ),
    field(
      "Id",
      h("input", { name: "person", value: who.person, required: true, autocomplete: "off", placeholder: "s1" }),
    ),
    field("Session", h("input", { name: "session", value: who.session, required: true, autocomplete: "off" })),
    h("button", null, "Open"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.hash = `/chat?${new URLSearchParams(new FormData(form))}`;
  });
  const sessions = h("ul", { class: "sessions" });
  const none = h("p", { class: "empty" }, "No session yet");
  const talk = who.person
    ? conversation(client, who, signal)
    : empty("Nobody talks yet", "Say who you are, or open a session.");
  root.append(
    h("h1", null, "Chat"),
    h(
      "div",
      { class: "columns chatting" },
      h("div", null, talk.element ?? panel("Conversation", {}, talk)),
      h("div", null, form, panel("Sessions", { note: "the latest used first" }, sessions, none)),
    ),
  );

  const list = async () => {
    const found = await client.get("/v1/chat/sessions", { limit: 30 }, signal);
    none.hidden = found.data.length > 0;
    keyed(
      sessions,
      found.data,
      (each) => each.id,
      (each) => {
        const title = h("a"),
          when = moment(each.last_at),
          turns = h("small");
        return {
          element: h("li", null, title, when, turns),
          update: (now) => {
            say(title, now.title ?? `${now.person_id} · ${now.session_id}`);
            mark(
              title,
              "href",
              `#/chat?${new URLSearchParams({ role: now.role, person: now.person_id, session: now.session_id })}`,
            );
            mark(
              title,
              "aria-current",
              now.role === who.role && now.person_id === who.person && now.session_id === who.session && "page",
            );
            setMoment(when, now.last_at);
            say(turns, plural(now.turns, "turn"));
          },
        };
      },
    );
  };
  await list();
  await talk.open?.(list);
}

function conversation(client, who, signal) {
  const said = h("ol", { class: "said", tabindex: "0", "aria-label": "Messages" });
  const place = h("p", { class: "note place", role: "status" });
  const text = h("textarea", {
    name: "text",
    rows: "3",
    required: true,
    "aria-label": "Your message",
    placeholder: "Ask something. Enter sends, Shift and Enter breaks the line.",
  });
  const send = h("button", { class: "primary" }, "Send");
  const stop = button("Stop", () => current && client.post(`/v1/jobs/${current}/cancel`).catch(complain), "");
  const form = h("form", { class: "compose" }, text, h("div", { class: "actions" }, place, stop, send));
  const element = panel("Conversation", { note: `${who.role} ${who.person}, session ${who.session}` }, said, form);
  let current = null,
    reload = async () => {};
  stop.hidden = true;
  text.disabled = send.disabled = true; // until what was said is here: a turn that overtook it would be shown twice

  function bubble(role, content) {
    const body = h("p", null, content),
      sources = h("div", { class: "sources" });
    const item = h(
      "li",
      { "data-role": role },
      h("b", { class: "unseen" }, role === "user" ? "You: " : "Tutor: "),
      body,
      sources,
    );
    said.append(item);
    while (said.childElementCount > DRAWN) said.firstChild.remove();
    said.scrollTop = said.scrollHeight;
    const cite = (found) =>
      sources.replaceChildren(
        ...found.map((each) =>
          h(
            "details",
            null,
            h("summary", null, each.title, each.locator ? `, ${each.locator}` : ""),
            h("blockquote", null, each.quote),
          ),
        ),
      );
    return {
      item,
      write: (now) => {
        const low = said.scrollTop + said.clientHeight > said.scrollHeight - 40;
        say(body, now);
        if (low) said.scrollTop = said.scrollHeight;
      },
      cite,
    };
  }

  async function wait(job) {
    while (!signal.aborted && current === job.job_id) {
      const now = await client.get(`/v1/jobs/${job.job_id}`, null, signal);
      if (now.status !== "queued") {
        say(place, now.status === "processing" ? "The tutor is thinking." : "");
        return;
      }
      const before = now.lane_queue_position ?? 0;
      say(
        place,
        before
          ? `In line: ${plural(before, "turn")} of this session before it.`
          : "Next in line: waits for a free tutor.",
      );
      await sleep(1, signal);
    }
  }

  async function ask(content) {
    const body = {
      messages: [{ role: "user", content }],
      role: who.role,
      session_id: who.session,
      [`${who.role}_id`]: who.person,
    };
    const job = await client.post("/v1/chat", body, { signal });
    bubble("user", content);
    text.value = "";
    current = job.job_id;
    stop.hidden = false;
    const reply = bubble("assistant", "");
    mark(reply.item, "data-writing", true);
    let written = "",
      began = false;
    wait(job).catch((error) => {
      if (!signal.aborted) complain(error);
    });
    await client.events(
      `/v1/jobs/${job.job_id}/events`,
      ({ event, data }) => {
        if (event === "delta") {
          if (!began) {
            began = true;
            say(place, "The tutor is writing.");
          }
          written = written.slice(0, data.offset ?? written.length) + data.text;
          reply.write(written);
        } else if (event === "reset") {
          written = "";
          reply.write("");
        } else if (event === "done" || event === "cancelled") {
          reply.write(data.result?.reply ?? (event === "cancelled" ? "Stopped." : written));
          reply.cite(data.result?.sources ?? []);
          mark(reply.item, "data-partial", event === "cancelled");
        } else if (event === "failed") reply.write(`The tutor failed: ${data.error_detail ?? data.error}`);
      },
      signal,
    );
    mark(reply.item, "data-writing", null);
    if (current === job.job_id) {
      current = null;
      stop.hidden = true;
      say(place, "");
    }
    await reload();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const content = text.value.trim();
    if (content)
      ask(content).catch((error) => {
        if (!signal.aborted) {
          say(place, "");
          tell(error.message, "bad");
        }
      });
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });

  async function open(list) {
    reload = list;
    const own = await client.get("/v1/chat/sessions", { [`${who.role}_id`]: who.person, limit: 100 }, signal);
    const session = own.data.find((each) => each.session_id === who.session && each.role === who.role);
    if (session) {
      // a new one begins with its first turn
      const { data } = await client.get(
        `/v1/chat/sessions/${encodeURIComponent(session.id)}/messages`,
        { limit: 100, order: "desc" },
        signal,
      );
      for (const each of data.reverse()) bubble(each.role, each.content).cite(each.sources);
    }
    text.disabled = send.disabled = false;
    text.focus({ preventScroll: true });
  }
  return { element, open };
}
