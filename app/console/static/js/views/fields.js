// Fields that are bound to places of a draft by JSON pointers, and errors that are shown where they belong.

import { button, field, h, mark } from "../dom.js";

const parts = (pointer) =>
  pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
export const escape = (part) => String(part).replaceAll("~", "~0").replaceAll("/", "~1");

const at = (model, keys) => keys.reduce((value, key) => value?.[key], model);

// A draft that is being corrected: what it says, and which of its sections differ from what was saved.
export class Draft {
  constructor(document, onChange) {
    this.model = structuredClone(document);
    this.changed = new Set();
    this.onChange = onChange;
  }
  get(pointer) {
    return at(this.model, parts(pointer));
  }
  set(pointer, value) {
    const keys = parts(pointer);
    const last = keys.pop();
    at(this.model, keys)[last] = value;
    this.touch(keys[0] ?? last);
  }
  touch(section) {
    this.changed.add(section);
    this.onChange();
  }
  get edits() {
    return Object.fromEntries([...this.changed].map((section) => [section, this.model[section]]));
  }
}

const READ = {
  number: (text) => (text.trim() === "" ? null : Number(text)),
  list: (text) =>
    text
      .split(/[,，;；\n]/)
      .map((part) => part.trim())
      .filter(Boolean),
  lines: (text) =>
    text
      .split("\n")
      .map((part) => part.trim())
      .filter(Boolean),
  text: (text) => (text === "" ? null : text),
};
const WRITE = { list: (value) => (value ?? []).join(", "), lines: (value) => (value ?? []).join("\n") };

// A control for one place. `as` says what its text stands for.
export function input(draft, pointer, { as = "text", type, rows, options, label, empty: whenEmpty, ...more } = {}) {
  const value = draft.get(pointer);
  const text = WRITE[as] ? WRITE[as](value) : (value ?? "");
  const props = {
    "data-pointer": pointer,
    "aria-label": label,
    disabled: draft.model.draft_status === "confirmed",
    ...more,
  };
  let control;
  if (options)
    control = h(
      "select",
      props,
      options.map(([each, title]) => h("option", { value: each, selected: each === text }, title)),
    );
  else if (rows) {
    control = h("textarea", { rows, ...props });
    control.value = text;
  } else {
    control = h("input", {
      type: type ?? "text",
      inputmode: as === "number" ? "decimal" : null,
      autocomplete: "off",
      ...props,
    });
    control.value = text;
  }
  control.addEventListener("input", () => {
    const read = READ[as](control.value);
    const wrong = as === "number" && Number.isNaN(read);
    mark(control, "aria-invalid", wrong && "true");
    if (!wrong) draft.set(pointer, read === null && whenEmpty !== undefined ? whenEmpty : read);
  });
  return control;
}

export const labelled = (title, draft, pointer, options, hint) => field(title, input(draft, pointer, options), hint);

// Put each error at its place: the field itself, or the nearest thing around it. Returns those that have no place.
export function explain(root, errors, find = (pointer) => nearest(root, pointer)) {
  for (const old of root.querySelectorAll(".amiss")) old.remove();
  for (const old of root.querySelectorAll("[aria-invalid]")) {
    old.removeAttribute("aria-invalid");
    mark(old, "aria-describedby", document.getElementById(`${old.id}-hint`)?.id);
  }
  return errors.filter(({ pointer, detail }, number) => {
    const place = find(pointer);
    if (!place) return true;
    const note = h("p", { class: "amiss", id: `amiss-${number}` }, detail);
    mark(place, "aria-invalid", "true");
    mark(place, "aria-describedby", note.id);
    if (place.matches("td *, td")) place.closest("td").append(note);
    else if (place.matches("input, select, textarea")) place.after(note);
    else place.prepend(note);
    return false;
  });
}

function nearest(root, pointer) {
  const keys = pointer.split("/");
  while (keys.length > 1) {
    const found = root.querySelector(`[data-pointer="${CSS.escape(keys.join("/"))}"]`);
    if (found) return found;
    keys.pop();
  }
  return null;
}

// What stands against confirming, as a list that leads to each place.
export function summary(errors, reach) {
  if (!errors.length) return null;
  return h(
    "div",
    { class: "panel error", role: "alert" },
    h(
      "strong",
      null,
      errors.length === 1 ? "One thing stands against confirming" : `${errors.length} things stand against confirming`,
    ),
    h(
      "ul",
      null,
      errors.slice(0, 12).map((each) =>
        h(
          "li",
          null,
          button(each.detail, () => reach(each.pointer), "link"),
        ),
      ),
      errors.length > 12 && h("li", { class: "note" }, `and ${errors.length - 12} more, each at its place`),
    ),
  );
}
