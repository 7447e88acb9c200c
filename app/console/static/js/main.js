// The shell: who is signed in, which view is shown, and the keys that lead there.

import { Away, operator, Problem, tenant } from "./api.js";
import { h, say, mark } from "./dom.js";
import { ask } from "./dialog.js";
import { complain, tell } from "./live.js";

const VIEWS = [
  ["overview", "Overview", "o"],
  ["jobs", "Jobs", "j"],
  ["lanes", "Lanes", "l"],
  ["tenants", "Tenants", "t"],
  ["uploads", "Uploads", "u"],
  ["chat", "Chat", "c"],
];
const NEEDS_TENANT = new Set(["uploads", "chat"]);

const main = document.getElementById("main");
const nav = document.getElementById("nav");
const find = document.getElementById("find");
const leave = document.getElementById("leave");
const theme = document.getElementById("theme");
const links = new Map(
  VIEWS.map(([name, title, key]) => [name, h("a", { href: `#/${name}`, title: `${title}: g ${key}` }, title)]),
);
nav.append(...links.values());

let shown = new AbortController();
let shownPath = null;

function place() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = (path || "overview").split("/");
  return {
    name: links.has(name) ? name : "overview",
    rest: rest.map(decodeURIComponent),
    query: new URLSearchParams(query ?? ""),
  };
}

async function show() {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  const { name, rest, query } = place();
  const client = NEEDS_TENANT.has(name) ? tenant : operator;
  for (const [each, link] of links) mark(link, "aria-current", each === name && "page");
  links.get(name).scrollIntoView({ block: "nearest", inline: "nearest" });
  leave.hidden = !operator.key && !tenant.key;
  find.hidden = !operator.key;
  document.body.removeAttribute("data-stale");
  const title = VIEWS.find(([each]) => each === name)[1];
  document.title = `${title} · Homeroom`;
  try {
    const file = client.key ? name : "login";
    const view = await import(`./views/${file}.js`);
    if (signal.aborted) return;
    const path = [file, name, ...rest].join("/");
    const root = h("div", { class: `view ${file}` });
    const focused = path === shownPath && main.contains(document.activeElement) ? document.activeElement.name : null;
    if (path !== shownPath) window.scrollTo(0, 0);
    main.replaceChildren(root);
    if (shownPath !== null && path !== shownPath) main.focus({ preventScroll: true });
    shownPath = path;
    await view.show({ root, signal, rest, query, client, focused, again: show, forTenant: NEEDS_TENANT.has(name) });
  } catch (error) {
    if (signal.aborted || error.status === 401) return;
    if (!(error instanceof Problem || error instanceof Away)) throw error;
    complain(error);
  }
}

for (const client of [operator, tenant]) {
  client.onRefused = (problem) => {
    client.key = null;
    tell(problem.message, "bad");
    show();
  };
}

leave.addEventListener("click", () => {
  operator.key = tenant.key = null;
  location.hash = "#/overview";
  show();
});

find.addEventListener("submit", (event) => {
  event.preventDefault();
  const id = find.elements.id.value.trim();
  find.elements.id.value = "";
  if (id) location.hash = `#/jobs/${encodeURIComponent(id)}`;
});

const dark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
function paint() {
  say(theme, isDark() ? "Light" : "Dark");
  mark(theme, "aria-label", `Use ${isDark() ? "light" : "dark"} colours`);
}
theme.addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  localStorage.setItem("homeroom.theme", document.documentElement.dataset.theme);
  paint();
});
dark.addEventListener("change", paint);
paint();

const KEYS = [
  ...VIEWS.map(([, title, key]) => [`g ${key}`, title]),
  ["/", "Find a job by its id"],
  ["j  k", "Next and previous row"],
  ["Enter", "Open the row"],
  ["←  →", "Along a plot that has the focus"],
  ["?", "This list"],
];

let went = -Infinity; // when `g` was pressed: a page that is young has not just been told to go
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest?.("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const view = performance.now() - went < 1_500 && VIEWS.find(([, , key]) => key === event.key);
  went = -Infinity;
  if (view) location.hash = `#/${view[0]}`;
  else if (event.key === "g") went = performance.now();
  else if (event.key === "/" && !find.hidden) find.elements.id.focus();
  else if (event.key === "?") {
    ask({
      title: "Keys",
      close: "Close",
      body: h(
        "dl",
        { class: "keys" },
        KEYS.map(([key, text]) => [h("dt", null, h("kbd", null, key)), h("dd", null, text)]),
      ),
    });
  } else if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
  else return;
  event.preventDefault();
});

function step(by) {
  const rows = [...main.querySelectorAll("tbody a.row")];
  if (rows.length) rows[Math.max(0, Math.min(rows.length - 1, rows.indexOf(document.activeElement) + by))].focus();
}

addEventListener("hashchange", show);
show();
