// Exams and assignments that were uploaded, and a place to upload more.

import { button, empty, field, h, keyed, mark, panel, say, select, table } from "../dom.js";
import { moment, setStatus, status } from "../format.js";
import { complain, poll, tell } from "../live.js";
import { explain } from "./fields.js";

const LANGUAGES = [
  ["auto", "As the text says"],
  ["en", "English"],
  ["zh", "Chinese"],
];
const OCR = [
  ["auto", "Where a page has no text"],
  ["always", "All pages"],
  ["never", "No page"],
];
const COMMON = [
  ["title", "Title", "text"],
  ["language", "Language", LANGUAGES],
  ["ocr_mode", "Recognise", OCR],
];

// What each kind takes; the API checks it, and says at which field something is wrong.
export const KINDS = {
  exams: {
    one: "exam",
    title: "Exams",
    files: [
      ["paper_files", "Papers"],
      ["score_files", "Marks"],
      ["answer_files", "Answer keys"],
    ],
    fields: [["exam_id", "Id", "text"], ["date", "Date", "date"], ["class_name", "Class", "text"], ...COMMON],
  },
  assignments: {
    one: "assignment",
    title: "Assignments",
    files: [
      ["files", "Papers"],
      ["answer_files", "Answer keys"],
    ],
    fields: [
      ["assignment_id", "Id", "text"],
      ["date", "Date", "date"],
      ["due_at", "Due", "datetime-local"],
      [
        "scope",
        "For",
        [
          ["", "As given"],
          ["public", "Everybody"],
          ["class", "A class"],
          ["student", "Students"],
        ],
      ],
      ["class_name", "Class", "text"],
      ["student_ids", "Students, with commas", "text"],
      ...COMMON,
    ],
  },
};

const identifier = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export async function show(view) {
  const {
    root,
    client,
    signal,
    rest: [path, id],
    query,
  } = view;
  if (id) return (await import("./draft.js")).show(view);
  const kind = KINDS[path] ?? KINDS.exams,
    where = KINDS[path] ? path : "exams";
  const tabs = h(
    "nav",
    { class: "chips", "aria-label": "Kind" },
    Object.entries(KINDS).map(([name, { title }]) =>
      h("a", { href: `#/uploads/${name}`, "aria-current": name === where && "true" }, title),
    ),
  );
  const { element: scroll, body } = table(
    [
      { title: "State" },
      { title: "Id" },
      { title: "Files" },
      { title: "Uploaded" },
      { title: "Version", cls: "number" },
    ],
    { label: kind.title, cls: "cards" },
  );
  const nothing = empty(
    `No ${kind.title.toLowerCase()} yet`,
    "What is uploaded is read into a draft, which you check and confirm.",
  );
  const cursor = query.get("cursor"),
    older = h("a", { class: "button" }, "Older"),
    pager = h("footer", { class: "pager" }, older);
  nothing.hidden = true;
  root.append(
    h("div", { class: "head" }, h("h1", null, "Uploads"), tabs),
    h(
      "div",
      { class: "columns" },
      h("div", null, h("section", { class: "panel", "aria-label": "List" }, scroll, nothing, pager)),
      h("div", null, uploader(client, where, kind)),
    ),
  );

  await poll(
    4,
    async () => {
      const found = await client.get(`/v1/${where}/uploads`, { limit: 30, cursor }, signal);
      keyed(
        body,
        found.data,
        (each) => each.upload_id,
        (each) => uploadRow(where, each),
      );
      scroll.hidden = !found.data.length;
      nothing.hidden = !!found.data.length;
      mark(pager, "hidden", !found.has_more);
      mark(older, "href", `#/uploads/${where}?cursor=${encodeURIComponent(found.next_cursor)}`);
    },
    signal,
  );
}

function uploadRow(path, first) {
  const state = status(first.draft_status),
    version = h("td", { class: "number" });
  const href = `#/uploads/${path}/${first.upload_id}`;
  const names = first.files.map((file) => file.name).join(", ");
  const element = h(
    "tr",
    {
      onclick: (event) => {
        if (!event.target.closest("a")) location.hash = href;
      },
    },
    h("td", null, state),
    h("td", null, h("a", { class: "row", href }, first.record_id)),
    h("td", { class: "clip", title: names }, names),
    h("td", null, moment(first.created_at)),
    version,
  );
  return {
    element,
    update: (now) => {
      setStatus(state, now.draft_status);
      say(version, now.draft_version);
    },
  };
}

function uploader(client, path, kind) {
  const files = kind.files.map(([name, title], number) =>
    field(title, h("input", { type: "file", name, multiple: true, required: number === 0 && path === "assignments" })),
  );
  const fields = kind.fields.map(([name, title, type]) =>
    field(
      title,
      Array.isArray(type) ? select(type, type[0][0], { name }) : h("input", { name, type, autocomplete: "off" }),
    ),
  );
  const wrong = h("p", { class: "wrong", role: "alert" }),
    send = h("button", { class: "primary" }, "Upload");
  const form = h(
    "form",
    { class: "body stack" },
    files,
    h("div", { class: "pairs" }, fields),
    wrong,
    h("div", { class: "actions" }, send),
  );
  let key = identifier(); // the same until it was accepted: a second click never uploads twice
  form.addEventListener("change", () => {
    key = identifier();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new FormData();
    for (const [name, value] of new FormData(form))
      if (value instanceof File ? value.size || value.name : value) body.append(name, value);
    explain(form, []);
    send.disabled = true;
    say(send, "Uploading…");
    say(wrong, "");
    try {
      const job = await client.post(`/v1/${path}/uploads`, body, { headers: { "Idempotency-Key": key } });
      tell(`The ${kind.one} is being read.`);
      location.hash = `/uploads/${path}/${job.job_id}`;
    } catch (error) {
      say(wrong, error.message);
      explain(form, error.errors ?? [], (pointer) => form.elements[pointer.split("/")[2]]);
      if (!error.status) complain(error);
    }
    send.disabled = false;
    say(send, "Upload");
  });
  return panel(`Upload an ${kind.one}`, {}, form);
}
