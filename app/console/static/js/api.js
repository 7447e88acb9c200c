// The public API, as anyone may call it: JSON, problem documents, server-sent events.

import { setClock } from "./format.js";
import { sleep } from "./time.js";

const ROOT = new URL("../", new URL(".", document.baseURI)); // the page is at /console/, perhaps below a prefix

export class Problem extends Error {
  constructor(status, document) {
    super(document.detail ?? document.title ?? `The API answered ${status}.`);
    Object.assign(this, {
      status,
      code: document.code ?? "unknown",
      title: document.title,
      errors: document.errors ?? [],
      document,
    });
  }
}

// Whether to ask the same again later may help.
export const passes = (error) =>
  error instanceof Away || (error instanceof Problem && (error.status >= 500 || error.status === 429));

// Nobody answered: the process is not there, or the network is not.
export class Away extends Error {}

// A key of ours or a token names itself; anything else can only be the deployment's admin key.
const headersOf = (key) => (/^hr_|^eyJ/.test(key) ? { Authorization: `Bearer ${key}` } : { "X-Admin-Key": key });

class Client {
  constructor(name) {
    this.place = `homeroom.${name}`;
    this.onRefused = () => {};
  }

  // For this tab and until it is closed: sessionStorage is not shared and not kept.
  get key() {
    return sessionStorage.getItem(this.place);
  }
  set key(value) {
    if (value) sessionStorage.setItem(this.place, value);
    else sessionStorage.removeItem(this.place);
  }

  async fetch(path, { method = "GET", query, body, headers, signal, key = this.key } = {}) {
    const address = new URL(path.replace(/^\//, ""), ROOT);
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== null && value !== undefined && value !== "") address.searchParams.append(name, value);
    }
    const form = body instanceof FormData;
    const answer = await reach(address, {
      method,
      signal,
      cache: "no-store",
      credentials: "omit",
      headers: {
        ...headersOf(key ?? ""),
        ...(body && !form ? { "Content-Type": "application/json" } : {}),
        ...headers,
      },
      body: body && !form ? JSON.stringify(body) : body,
    });
    setClock(answer.headers.get("Date"));
    if (answer.ok || answer.status === 304) return answer;
    const problem = new Problem(answer.status, await answer.json().catch(() => ({})));
    if (answer.status === 401 && key === this.key) this.onRefused(problem);
    throw problem;
  }

  async get(path, query, signal) {
    return (await this.fetch(path, { query, signal })).json();
  }
  async post(path, body, more) {
    return (await this.fetch(path, { method: "POST", body, ...more })).json();
  }

  // Every frame until the stream ends by itself; a broken connection resumes after the last id that was heard.
  async events(path, onFrame, signal) {
    let last = null,
      pause = 0.5;
    while (!signal.aborted) {
      try {
        const answer = await this.fetch(path, { signal, headers: last ? { "Last-Event-ID": last } : {} });
        if (answer.status === 204) return;
        for await (const frame of frames(answer.body)) {
          pause = 0.5;
          last = frame.id ?? last;
          onFrame(frame);
          if (["done", "failed", "cancelled"].includes(frame.event)) return;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Problem && !passes(error)) throw error;
      }
      await sleep(pause, signal);
      pause = Math.min(2 * pause, 10);
    }
  }
}

async function reach(address, options) {
  try {
    return await fetch(address, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Away("The API does not answer.", { cause: error });
  }
}

async function* frames(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const parts = (rest + value).split("\n\n");
      rest = parts.pop();
      for (const part of parts) {
        const frame = {};
        for (const line of part.split("\n")) {
          const colon = line.indexOf(": ");
          if (colon > 0) frame[line.slice(0, colon)] = line.slice(colon + 2);
        }
        if (frame.event) yield { ...frame, data: JSON.parse(frame.data) };
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

export const operator = new Client("operator");
export const tenant = new Client("tenant");
