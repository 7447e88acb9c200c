// Questions before deeds. The browser's own dialog keeps the focus inside and gives it back.

import { h, button } from "./dom.js";

// `act` is called while the dialog stands, so that a refusal can be read where it was caused.
export function ask({ title, body, verb, danger, act, close = "Cancel" }) {
  return new Promise((resolve) => {
    const wrong = h("p", { class: "wrong", role: "alert" });
    const confirm = verb && button(verb, null, danger ? "danger" : "primary");
    const dialog = h(
      "dialog",
      { "aria-label": title },
      h("h2", null, title),
      body,
      wrong,
      h(
        "footer",
        null,
        button(close, () => dialog.close()),
        confirm,
      ),
    );
    let answer;
    confirm?.addEventListener("click", async () => {
      confirm.disabled = true;
      wrong.textContent = "";
      try {
        answer = (await act?.(dialog)) ?? true;
        dialog.close();
      } catch (error) {
        wrong.textContent = error.message;
        confirm.disabled = false;
      }
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
    (confirm ?? dialog.querySelector("button")).focus();
  });
}
