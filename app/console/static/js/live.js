// What keeps a view true: asking again and again while somebody looks, and saying so when nobody answers.

import { Away, passes } from "./api.js";
import { say, mark } from "./dom.js";
import { seen, sleep } from "./time.js";

const news = document.getElementById("news");
let timer = 0;

export function tell(text, kind = "info", seconds = 6) {
  say(news, text);
  mark(news, "data-is", kind);
  clearTimeout(timer);
  if (seconds) timer = setTimeout(() => say(news, ""), 1_000 * seconds);
}

const words = (error) =>
  error instanceof Away ? "The API does not answer. What you see is as it was last known." : error.message;

export function complain(error) {
  if (error.name === "AbortError") return;
  tell(words(error), "bad");
}

// Ask now and every so many seconds, while the view and the tab are shown. While the API is away, what was shown
// before stays, and is marked as old; a refusal ends the asking and is the view's to tell.
export async function poll(seconds, ask, signal) {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await ask();
      if (failures) tell("The API answers again.");
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (!passes(error)) throw error;
      failures += 1;
      tell(words(error), "bad", 0);
    }
    document.body.toggleAttribute("data-stale", failures > 0);
    await sleep(seconds * Math.min(2 ** failures, 8), signal);
    await seen(signal);
  }
}
