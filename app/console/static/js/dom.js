// Elements by function calls. Text is always text: nothing of a job is ever read as markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

export const h = (tag, props, ...children) => fill(document.createElement(tag), props, children);
export const svg = (tag, props, ...children) => fill(document.createElementNS(SVG, tag), props, children);

// Touch the page only where something changed: a screen reader repeats, and a selection breaks, at every write.
export function say(element, text) {
  const told = text === null || text === undefined ? "" : String(text);
  if (element.textContent !== told) element.textContent = told;
  return element;
}

export function mark(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : value);
  return element;
}

const kept = new WeakMap(); // a list's rows by their keys

// Make the parent's children what the items say, keeping the elements of those that stay: focus and scroll stay too.
// Returns the rows by their keys.
export function keyed(parent, items, keyOf, make) {
  const known = kept.get(parent) ?? new Map();
  const rows = new Map();
  let place = parent.firstChild;
  for (const item of items) {
    const key = keyOf(item);
    const row = known.get(key) ?? make(item);
    known.delete(key);
    rows.set(key, row);
    row.update(item);
    if (row.element === place) place = place.nextSibling;
    else parent.insertBefore(row.element, place);
  }
  for (const row of known.values()) row.element.remove();
  kept.set(parent, rows);
  return rows;
}

export function table(columns, { label, cls } = {}) {
  const body = h("tbody");
  const head = columns.map(({ title, cls: of, hidden }) =>
    h("th", { scope: "col", class: of }, hidden ? h("span", { class: "unseen" }, title) : title),
  );
  // What overflows must be reachable by keyboard.
  const element = h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
    h("table", { class: cls }, h("thead", null, h("tr", null, head)), body),
  );
  return { element, body };
}

export function empty(title, text, ...more) {
  return h("div", { class: "empty" }, h("strong", null, title), h("p", null, text), more);
}

let fields = 0;

export function field(label, control, hint) {
  control.id ||= `field-${++fields}`;
  const small = hint && h("small", { id: `${control.id}-hint` }, hint);
  if (small) mark(control, "aria-describedby", small.id);
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control, small);
}

export function select(options, chosen, props) {
  return h(
    "select",
    props,
    options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)),
  );
}

// What narrows a list: always in sight where there is room, folded away on a phone.
export function filters(form) {
  return h("details", { class: "filters", open: innerWidth > 620 }, h("summary", null, "Filter"), form);
}

export function panel(title, { actions, note, cls } = {}, ...children) {
  const heading = h("h2", null, title);
  const element = h(
    "section",
    { class: `panel ${cls ?? ""}`.trim() },
    h(
      "header",
      null,
      heading,
      note && h("p", { class: "note" }, note),
      actions && h("div", { class: "actions" }, actions),
    ),
    children,
  );
  return element;
}

export function button(text, onclick, cls, props) {
  return h("button", { type: "button", class: cls, onclick, ...props }, text);
}
