// The sections of an exam's draft: what it is, its questions, how the marks were read, and the students.

import { button, empty, h, panel, table } from "../dom.js";
import { plural } from "../format.js";
import { complain } from "../live.js";
import { escape, input, labelled } from "./fields.js";
import { questionCards, warnings } from "./questions.js";

const PAGE = 50; // students on the page at a time

export function examSections(draft, { source, reparse, redraw }) {
  const { model } = draft;
  const about = panel(
    "Exam",
    {},
    h(
      "div",
      { class: "body pairs" },
      labelled("Date", draft, "/exam/date", { type: "date" }),
      labelled("Class", draft, "/exam/class_name"),
      labelled("Title", draft, "/exam/title"),
    ),
  );
  return [
    warnings(model.warnings, source),
    about,
    questionCards(draft, source, redraw, { marks: "max_score", title: "Out of" }),
    model.score_mode && reading(draft, reparse),
    model.students.length > 0 && students(draft),
  ].filter(Boolean);
}

// Which table, which columns: with other eyes the same sheet may read differently.
function reading(draft, reparse) {
  const { candidates, selected, needs_confirm: doubtful } = draft.model.score_schema;
  const confirmed = draft.model.draft_status === "confirmed";
  const rows = candidates.map((each) => {
    const id = each.candidate_id;
    return h(
      "li",
      { "aria-current": id === selected && "true" },
      h(
        "div",
        null,
        h("strong", null, each.table || each.file),
        h(
          "p",
          { class: "note" },
          `${plural(each.students, "student")}, ${plural(each.questions, "question")}; ${Math.round(100 * each.coverage)}% of the cells make sense`,
        ),
      ),
      id === selected
        ? h("span", { class: "note" }, "read like this")
        : !confirmed && button("Read it like this", () => reparse(id).catch(complain)),
    );
  });
  const looked =
    doubtful &&
    h(
      "label",
      { class: "check" },
      h("input", {
        type: "checkbox",
        disabled: confirmed,
        onchange: (event) => {
          draft.model.score_schema.needs_confirm = !event.target.checked;
          draft.touch("score_schema");
        },
      }),
      " I have compared the marks with the sheet, and they are right.",
    );
  return panel(
    "How the marks were read",
    {},
    h(
      "div",
      { class: "body", "data-pointer": "/score_schema", tabindex: "-1" },
      h("ul", { class: "candidates" }, rows),
      looked,
    ),
  );
}

function students(draft) {
  const { model } = draft;
  const marked = new Set(model.students.flatMap((student) => Object.keys(student.scores)));
  const columns = model.questions.map((each) => each.question_id).filter((id) => marked.has(id));
  const { element, body } = table(
    [
      { title: "Id" },
      { title: "Name" },
      ...columns.map((title) => ({ title, cls: "number" })),
      { title: "Total", cls: "number" },
    ],
    { label: "Students" },
  );
  const note = h("span", { class: "note" });
  const back = button("Earlier", () => turn(-1)),
    on = button("Later", () => turn(1));
  let first = 0;
  function turn(by) {
    first += by * PAGE;
    const shown = model.students.slice(first, first + PAGE);
    body.replaceChildren(
      ...shown.map((student, offset) => {
        const at = `/students/${first + offset}`,
          who = student.name ?? student.student_id ?? "this student";
        return h(
          "tr",
          { "data-pointer": at, tabindex: "-1" },
          h("td", null, input(draft, `${at}/student_id`, { label: `Id of ${who}`, size: 10 })),
          h("td", null, input(draft, `${at}/name`, { label: "Name", size: 14 })),
          columns.map((id) =>
            h(
              "td",
              { class: "number" },
              input(draft, `${at}/scores/${escape(id)}`, { as: "number", label: `${id} of ${who}`, size: 4 }),
            ),
          ),
          h("td", { class: "number" }, student.absent ? "absent" : (student.total ?? "–")),
        );
      }),
    );
    note.textContent = `${first + 1} to ${first + shown.length} of ${model.students.length}`;
    back.hidden = first === 0;
    on.hidden = first + PAGE >= model.students.length;
  }
  turn(0);
  return panel(
    "Students",
    { note: "Totals follow when you save." },
    model.students.length ? element : empty("No student", "There is no score sheet."),
    h("footer", { class: "pager" }, note, back, on),
  );
}
