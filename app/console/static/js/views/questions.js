// The questions of a draft as cards, each with the way to its place in the source.

import { button, empty, field, h, panel } from "../dom.js";
import { plural } from "../format.js";
import { input, labelled } from "./fields.js";

const TYPES = [
  ["single", "Single choice"],
  ["multiple", "Multiple choice"],
  ["true_false", "True or false"],
  ["blank", "Blank"],
  ["short", "Short answer"],
  ["essay", "Essay"],
  ["calculation", "Calculation"],
];
const DIFFICULTIES = [
  ["basic", "Basic"],
  ["medium", "Medium"],
  ["advanced", "Advanced"],
  ["challenge", "Challenge"],
];
const SURE = 0.8; // below it, a person should look

export function warnings(found, source) {
  if (!found.length) return null;
  return panel(
    "To look at",
    { note: plural(found.length, "note") },
    h(
      "ul",
      { class: "warnings" },
      found
        .slice(0, 50)
        .map((each) =>
          h(
            "li",
            null,
            h("span", null, each.detail),
            each.file &&
              source.named(each.file) &&
              button(each.page ? `Page ${each.page}` : "Show", () => source.show(each), "quiet"),
          ),
        ),
    ),
  );
}

export function questionCards(draft, source, redraw, kind) {
  const { questions, draft_status: state } = draft.model;
  const cards = questions.map((question, number) => card(draft, question, number, source, redraw, kind));
  const add =
    state !== "confirmed" &&
    button("Add a question", () => {
      let number = questions.length + 1;
      while (questions.some((each) => each.question_id === `Q${number}`)) number += 1;
      questions.push({
        question_id: `Q${number}`,
        number: String(number),
        type: "short",
        stem: "",
        options: [],
        answer: null,
        [kind.marks]: null,
        knowledge_points: [],
        ...(kind.difficulty ? { difficulty: "medium", tags: [] } : {}),
      });
      draft.touch("questions");
      redraw();
    });
  return panel(
    "Questions",
    { note: String(questions.length), actions: add ? [add] : null },
    h(
      "div",
      { class: "questions", "data-pointer": "/questions", tabindex: "-1" },
      cards.length ? cards : empty("No question", "Add what was asked, or upload a paper that holds it."),
    ),
  );
}

function card(draft, question, number, source, redraw, { marks, title, difficulty }) {
  const at = `/questions/${number}`,
    confirmed = draft.model.draft_status === "confirmed";
  const place = question.source && source.named(question.source.file);
  const unsure = question.confidence !== undefined && question.confidence < SURE;
  const remove =
    !confirmed &&
    button(
      "Remove",
      () => {
        draft.model.questions.splice(number, 1);
        draft.touch("questions");
        redraw();
      },
      "quiet",
      { "aria-label": `Remove ${question.question_id}` },
    );
  const options = question.options.map((_, each) =>
    h(
      "div",
      { class: "option", "data-pointer": `${at}/options/${each}` },
      input(draft, `${at}/options/${each}/key`, { label: `Letter of option ${each + 1}`, size: 2, empty: "" }),
      input(draft, `${at}/options/${each}/text`, { label: `Option ${each + 1}`, empty: "" }),
    ),
  );
  return h(
    "article",
    { class: "question", "data-pointer": at, tabindex: "-1", "aria-label": question.question_id },
    h(
      "header",
      null,
      h("strong", null, question.question_id),
      unsure &&
        h(
          "span",
          { class: "status", "data-is": "draft" },
          `please check: ${Math.round(100 * question.confidence)}% sure`,
        ),
      h(
        "div",
        { class: "actions" },
        place &&
          button(`Page ${question.source.page ?? 1}`, () => source.show(question.source), "quiet", {
            "aria-label": `Show where ${question.question_id} stands`,
          }),
        remove,
      ),
    ),
    question.context && h("p", { class: "note" }, question.context),
    input(draft, `${at}/stem`, {
      rows: Math.min(8, 1 + Math.ceil((question.stem ?? "").length / 70)),
      label: `What ${question.question_id} asks`,
      empty: "",
    }),
    options.length > 0 && h("div", { class: "options", "data-pointer": `${at}/options` }, options),
    h(
      "div",
      { class: "pairs" },
      labelled("Id", draft, `${at}/question_id`),
      labelled("Type", draft, `${at}/type`, { options: question.type ? TYPES : [["", "Marks only"], ...TYPES] }),
      labelled(title, draft, `${at}/${marks}`, { as: "number" }),
      labelled("Answer", draft, `${at}/answer`),
      difficulty && labelled("Difficulty", draft, `${at}/difficulty`, { options: DIFFICULTIES }),
      field("Knowledge points", input(draft, `${at}/knowledge_points`, { as: "list", empty: [] })),
    ),
  );
}
