// Who is asking. The key stays in this tab.

import { field, h } from "../dom.js";

const WHO = {
  false: [
    "Sign in as an operator",
    "Operator key or admin key",
    "/admin/queues",
    "homeroom up prints one. Others: homeroom key create TENANT --scope operator.",
  ],
  true: [
    "Sign in for a school",
    "API key of a tenant",
    "/v1/kinds",
    "Uploads and chats belong to one tenant; its key opens them. An operator's key does not.",
  ],
};

export async function show({ root, client, again, forTenant }) {
  const [title, label, probe, hint] = WHO[forTenant];
  const wrong = h("p", { class: "wrong", role: "alert" });
  const key = h("input", { name: "key", type: "password", autocomplete: "off", required: true, spellcheck: "false" });
  const enter = h("button", { class: "primary" }, "Sign in");
  const form = h(
    "form",
    { class: "panel" },
    h("h1", null, title),
    field(label, key, hint),
    wrong,
    enter,
    h("p", { class: "note" }, "The key is kept in this tab until you sign out or close it."),
  );

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    enter.disabled = true;
    wrong.textContent = "";
    try {
      await client.fetch(probe, { key: key.value.trim() });
      client.key = key.value.trim();
      again();
    } catch (error) {
      wrong.textContent = error.message;
      enter.disabled = false;
      key.select();
    }
  });
  root.append(form);
  key.focus();
}
