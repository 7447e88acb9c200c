// The sections of an assignment's draft: what it is and for whom, its questions, and what a teacher must say about it.

import { h, panel } from "../dom.js";
import { labelled } from "./fields.js";
import { questionCards, warnings } from "./questions.js";

const SCOPES = [
  ["public", "Everybody"],
  ["class", "A class"],
  ["student", "Students"],
];
const LEVELS = [
  ["", "–"],
  ["weak", "Weak"],
  ["medium", "Medium"],
  ["strong", "Strong"],
  ["mixed", "Mixed"],
];

const REQUIREMENTS = [
  ["subject", "Subject"],
  ["topic", "Topic"],
  ["grade_level", "Grade"],
  ["class_level", "How the class stands", { options: LEVELS }],
  ["core_concepts", "Core concepts, 3 to 8", { as: "list", empty: [] }],
  ["typical_problem", "A typical problem", { rows: 3 }],
  ["misconceptions", "Misconceptions, one a line, 4 at least", { as: "lines", rows: 5, empty: [] }],
  ["duration_minutes", "Minutes it takes", { as: "number" }],
  ["preferences", "Preferences, letters A to F", { as: "list", empty: [] }],
  ["extra_constraints", "Anything else", { rows: 2 }],
];

export function assignmentSections(draft, { source, redraw }) {
  const { model } = draft;
  const missing = new Set(model.requirements_missing),
    filled = new Set(model.autofilled);
  const about = panel(
    "Assignment",
    {},
    h(
      "div",
      { class: "body pairs" },
      labelled("Title", draft, "/assignment/title"),
      labelled("Date", draft, "/assignment/date", { type: "date" }),
      labelled("Due", draft, "/assignment/due_at", { placeholder: "2026-09-04T16:00:00Z" }),
      labelled("For", draft, "/assignment/scope", { options: SCOPES }),
      labelled("Class", draft, "/assignment/class_name"),
      labelled("Students", draft, "/assignment/student_ids", { as: "list", empty: [] }),
    ),
  );
  const requirements = panel(
    "Requirements",
    { note: missing.size ? `${missing.size} missing` : "all there" },
    h(
      "div",
      { class: "body pairs" },
      REQUIREMENTS.map(([name, title, options]) => {
        const hint = missing.has(name) ? "Missing" : filled.has(name) ? "Filled in for you: please check" : "";
        const control = labelled(title, draft, `/requirements/${name}`, options, hint);
        control.dataset.is = missing.has(name) ? "missing" : filled.has(name) ? "filled" : "";
        return control;
      }),
    ),
  );
  return [
    warnings(model.warnings, source),
    about,
    requirements,
    questionCards(draft, source, redraw, { marks: "score", title: "Marks", difficulty: true }),
  ].filter(Boolean);
}
