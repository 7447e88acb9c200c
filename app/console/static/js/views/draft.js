// A draft beside its sources: look, correct, save, confirm. What is missing is told at its place.

import { ask } from "../dialog.js";
import { button, empty, h, mark, panel, say } from "../dom.js";
import { plural, setStatus, status } from "../format.js";
import { complain, tell } from "../live.js";
import { sleep } from "../time.js";
import { assignmentSections } from "./assignment_draft.js";
import { examSections } from "./exam_draft.js";
import { Draft, explain, summary } from "./fields.js";
import { viewer } from "./viewer.js";

const SECTIONS = { exams: examSections, assignments: assignmentSections };

export async function show({ root, client, signal, rest: [path, id], again }) {
  const base = `/v1/${path}/uploads/${encodeURIComponent(id)}`;
  const title = h("h1", null, "Draft"),
    state = status("parsing"),
    step = h("span", { class: "note" });
  const bar = h("progress", { max: 100, "aria-label": "Progress" });
  const save = button("Save", null),
    confirm = button("Confirm…", null, "primary");
  const notice = h("div", { class: "notice" }),
    body = h("div", { class: "columns drafting" });
  save.hidden = confirm.hidden = true;
  root.append(
    h("div", { class: "head sticky" }, title, state, step, h("div", { class: "actions" }, save, confirm)),
    bar,
    notice,
    body,
  );

  const upload = await parsed(client, base, signal, (job) => {
    say(title, nameOf(job.upload));
    setStatus(state, job.upload.draft_status);
    say(
      step,
      job.upload.draft_status === "parsing"
        ? (job.step ?? "waits for a worker")
        : plural(job.upload.files.length, "file"),
    );
    mark(bar, "value", job.progress);
    mark(bar, "hidden", job.upload.draft_status !== "parsing");
  });
  if (!upload) return;
  const source = viewer(client, base, upload.upload.files, signal);
  const editor = h("div", { class: "editor" });
  body.append(editor, source.element);
  let draft = null,
    etag = null;

  const take = async (answer) => {
    etag = answer.headers.get("ETag");
    draft = new Draft(await answer.json(), () => {
      save.disabled = false;
      say(save, "Save");
    });
    const confirmed = draft.model.draft_status === "confirmed";
    setStatus(state, draft.model.draft_status);
    say(step, `version ${draft.model.draft_version}`);
    save.hidden = confirm.hidden = confirmed;
    save.disabled = true;
    say(save, "Saved");
    paint();
  };
  const paint = () => editor.replaceChildren(...SECTIONS[path](draft, { source, reparse, redraw: paint }));
  const load = async () => take(await client.fetch(`${base}/draft`, { signal }));

  async function store() {
    if (!draft.changed.size) return true;
    try {
      await take(
        await client.fetch(`${base}/draft`, { method: "PUT", body: draft.edits, headers: { "If-Match": etag } }),
      );
      return true;
    } catch (error) {
      if (error.code === "draft_changed") {
        await ask({
          title: "Somebody else has changed this draft",
          verb: "Load theirs",
          close: "Keep looking",
          body: h(
            "p",
            null,
            `Your changes to ${[...draft.changed].join(", ")} are not saved. Theirs has version ${error.document.draft_version}; to load it drops yours.`,
          ),
          act: load,
        });
      } else point(error);
      return false;
    }
  }

  function point(error) {
    const errors = (error.errors ?? []).map((each) => ({ ...each, pointer: each.pointer.replace(/^\/body/, "") }));
    explain(editor, errors);
    notice.replaceChildren(summary(errors, reach) ?? h("p", { class: "wrong", role: "alert" }, error.message));
  }

  function reach(pointer) {
    const keys = pointer.split("/");
    let place = null;
    while (!place && keys.length > 1) {
      place = editor.querySelector(`[data-pointer="${CSS.escape(keys.join("/"))}"]`);
      keys.pop();
    }
    place?.closest("details")?.setAttribute("open", "");
    place?.scrollIntoView({ block: "center" });
    place?.focus({ preventScroll: true });
  }

  save.addEventListener("click", async () => {
    save.disabled = true;
    if (await store().catch((error) => complain(error))) {
      notice.replaceChildren();
      tell("Saved.");
    } else save.disabled = false;
  });
  confirm.addEventListener("click", async () => {
    if (!(await store().catch((error) => complain(error)))) return;
    const done = await ask({
      title: `Confirm ${nameOf(upload.upload)}?`,
      verb: "Confirm",
      body: h(
        "ul",
        { class: "consequences" },
        [
          `${plural(draft.model.questions.length, "question")}${draft.model.students ? ` and ${plural(draft.model.students.length, "student")}` : ""} become a record, as they stand here.`,
          "What follows from it (profiles, what the tutor may quote) is brought about at once.",
          "A confirmed draft is not edited any more; a new upload under the same id replaces it.",
        ].map((line) => h("li", null, line)),
      ),
      act: async () => {
        try {
          return await client.post(`${base}/confirm`, {}, { headers: { "If-Match": etag } });
        } catch (error) {
          point(error);
          if (error.errors?.length) return { refused: true };
          throw error;
        }
      },
    });
    if (!done) return;
    if (done.refused) {
      notice.firstElementChild?.scrollIntoView({ block: "nearest" });
      notice.querySelector("button")?.focus();
      return;
    }
    notice.replaceChildren();
    tell(`${done.record_id} is confirmed.`);
    await load().catch(complain);
  });

  async function reparse(selected) {
    await client.post(`${base}/reparse`, { selected });
    tell("The files are being read again.");
    again();
  }

  if (upload.upload.draft_status === "failed") {
    editor.append(
      panel(
        "Not read",
        {},
        empty(
          "The files could not be read",
          `${upload.error ?? ""} ${upload.error_detail ?? ""}`.trim(),
          h(
            "p",
            null,
            button("Read them again", () => reparse(null).catch(complain)),
          ),
        ),
      ),
    );
  } else await load();
  if (upload.upload.files.length) await source.open(upload.upload.files[0].number).catch(complain);
}

// What its owner calls it; an id that the server made says nothing to anybody.
const nameOf = ({ upload_id, record_id, form, files }) =>
  record_id === upload_id ? form.title || files[0]?.name || record_id : record_id;

// The upload once its files have been read; null when the view was left before.
async function parsed(client, base, signal, tellOf) {
  while (!signal.aborted) {
    const job = await client.get(base, null, signal);
    tellOf(job);
    if (job.upload.draft_status !== "parsing") return job;
    await sleep(1, signal);
  }
  return null;
}
