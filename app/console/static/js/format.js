// Numbers, durations and moments, as people read them.

import { h, say, mark } from "./dom.js";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

export const NONE = "–";

export const count = (number) =>
  number === null || number === undefined ? NONE : number < 100_000 ? whole.format(number) : short.format(number);

export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

export function rate(perSecond) {
  if (perSecond === null || perSecond === undefined) return NONE;
  if (perSecond >= 10 || perSecond === 0) return `${count(Math.round(perSecond))}/s`;
  return perSecond >= 0.1 ? `${perSecond.toFixed(1)}/s` : `${(perSecond * 60).toFixed(1)}/min`;
}

const two = (number) => String(Math.floor(number)).padStart(2, "0");

export function duration(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return NONE;
  if (seconds <= 0) return "0s";
  if (seconds < 0.0995) return `${Math.max(1, Math.round(seconds * 1000))}ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  if (seconds < 99.5) return `${Math.round(seconds)}s`;
  if (seconds < 6_000) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h ${two((seconds % 3_600) / 60)}m`;
  return `${Math.floor(seconds / 86_400)}d`;
}

// The server's clock judges how long ago something was; this machine's may be wrong. The answer that came fastest tells
// the difference best.
let ahead = -Infinity;
export const setClock = (date) => {
  if (date) ahead = Math.max(ahead, Date.parse(date) - Date.now());
};
export const now = () => Date.now() + (Number.isFinite(ahead) && Math.abs(ahead) > 2_000 ? ahead : 0);

export const since = (moment) => (now() - Date.parse(moment)) / 1000;
export const between = (from, to) => (from && to ? (Date.parse(to) - Date.parse(from)) / 1000 : null);
export const clock = (moment) => exact.format(new Date(moment));

const STEPS = [
  ["s", 60],
  ["min", 60],
  ["h", 48],
  ["days", Infinity],
];

function ago(moment) {
  const seconds = since(moment);
  let amount = Math.floor(Math.abs(seconds));
  if (amount < (seconds < 0 ? 5 : 2)) return "just now";
  for (const [unit, size] of STEPS) {
    if (amount < size) return seconds < 0 ? `in ${amount} ${unit}` : `${amount} ${unit} ago`;
    amount = Math.floor(amount / (unit === "h" ? 24 : size));
  }
  return "";
}

// A moment tells how long ago it was, and exactly when on hover; one clock keeps all of them true.
const shown = new Set();
export function moment(value) {
  const element = h("time");
  setMoment(element, value);
  shown.add(new WeakRef(element));
  return element;
}

export function setMoment(element, value) {
  mark(element, "datetime", value);
  mark(element, "title", value && clock(value));
  say(element, value ? ago(value) : NONE);
}

setInterval(() => {
  for (const reference of shown) {
    const element = reference.deref();
    if (!element?.isConnected) {
      if (!element || element.wasShown) shown.delete(reference);
      continue;
    }
    element.wasShown = true;
    const value = element.getAttribute("datetime");
    if (value && !document.hidden) say(element, ago(value));
  }
}, 1_000);

export const shortId = (id) => id.slice(-8);

const WORDS = {
  queued: "Queued",
  processing: "Running",
  done: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
  running: "Running",
  paused: "Paused",
  draining: "Draining",
  drained: "Drained",
  success: "Success",
  failure: "Failure",
  retry: "Retry",
  lost: "Lost",
  released: "Released",
  parsing: "Parsing",
  draft: "Draft",
  confirming: "Confirming",
  confirmed: "Confirmed",
};

export function status(word) {
  return setStatus(h("span", { class: "status" }), word);
}

export function setStatus(element, word) {
  mark(element, "data-is", word);
  return say(element, WORDS[word] ?? word);
}
