// A source beside what was read of it. What was uploaded may be anything: it is shown as a picture, as a PDF or as text,
// and never as a page.

import { empty, h, mark, select } from "../dom.js";
import { complain } from "../live.js";

const TEXT = /^text\/plain/,
  IMAGE = /^image\/(png|jpeg|webp|bmp)$/;

export function viewer(client, base, files, signal) {
  const frame = h("div", { class: "frame" });
  const choice = select(
    files.map((file) => [String(file.number), file.name]),
    String(files[0]?.number),
    { "aria-label": "File" },
  );
  const save = h("a", { class: "button" }, "Download");
  const element = h(
    "section",
    { class: "panel viewer", "aria-label": "Source" },
    h("header", null, choice, h("div", { class: "actions" }, save)),
    frame,
  );
  const known = new Map();
  let shown = null;

  async function load(number) {
    if (!known.has(number)) {
      const answer = await client.fetch(`${base}/files/${number}`, { signal });
      const media = answer.headers.get("Content-Type") ?? "";
      const bytes = await answer.blob();
      const kind =
        media === "application/pdf" ? "pdf" : IMAGE.test(media) ? "image" : TEXT.test(media) ? "text" : "other";
      const type = kind === "pdf" ? "application/pdf" : kind === "image" ? media : "application/octet-stream";
      known.set(number, {
        kind,
        url: URL.createObjectURL(new Blob([bytes], { type })),
        text: kind === "text" ? await bytes.text() : null,
      });
    }
    return known.get(number);
  }

  async function open(number, page = 1) {
    const file = files.find((each) => each.number === number);
    if (!file) return;
    choice.value = String(number);
    const { kind, url, text } = await load(number);
    mark(save, "href", url);
    mark(save, "download", file.name);
    const place = `${number} ${kind === "pdf" ? page : ""}`;
    if (place === shown) return;
    shown = place;
    frame.replaceChildren(
      {
        pdf: () => h("iframe", { src: `${url}#page=${page}&view=FitH&navpanes=0`, title: file.name }),
        image: () => h("img", { src: url, alt: file.name }),
        text: () => h("pre", { tabindex: "0" }, text),
        other: () => empty("A browser cannot show this file", "Download it to look at it beside the draft."),
      }[kind](),
    );
  }

  choice.addEventListener("change", () => open(Number(choice.value)).catch(complain));
  signal.addEventListener(
    "abort",
    () => {
      for (const { url } of known.values()) URL.revokeObjectURL(url);
    },
    { once: true },
  );
  // By the name that a draft gives: the owner's or the server's.
  const named = (name) =>
    files.find((file) => file.name === name) ??
    files.find((file) => name?.startsWith(String(file.number).padStart(2, "0")));
  return { element, open, show: (source) => open(named(source.file)?.number, source.page ?? 1).catch(complain), named };
}
