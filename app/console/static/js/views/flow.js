// Pause, drain, resume: what an operator does with a queue, and what will happen then, in numbers.

import { button, h } from "../dom.js";
import { ask } from "../dialog.js";
import { count, plural } from "../format.js";
import { complain, tell } from "../live.js";

const verb = (number, one, many) => (number === 1 ? one : many);

function consequences(deed, queue) {
  const { processing, queued, workers } = queue;
  const hold = `Nothing more of it begins, on ${workers === 1 ? "its one worker" : `any of its ${count(workers)} workers`}, from now on.`;
  const wait = queued
    ? `${plural(queued, "job")} that ${verb(queued, "waits", "wait")} (${count(queue.ready)} of them ready) will stay waiting.`
    : "No job waits now.";
  const runs = processing
    ? `${plural(processing, "job")} that ${verb(processing, "runs", "run")} will go on to the end; nothing is cut off.`
    : "No job runs now.";
  const open = "What is submitted is accepted all the same, and waits. Other queues are not touched.";
  return {
    pause: [hold, runs, wait, open],
    drain: [
      hold,
      `${runs} ${processing ? "Once the last has ended, the queue is drained:" : "The queue is drained at once:"} workers or a model server may then be taken away.`,
      wait,
      open,
    ],
    resume: [
      queued
        ? `${plural(queued, "waiting job")} may begin again: ${count(queue.ready)} at once, as slots allow (${count(queue.slots)}).`
        : "No job waits; what is submitted from now on begins at once.",
      workers ? "" : "But no worker of this queue is alive: nothing will begin before one is started.",
    ],
  }[deed].filter(Boolean);
}

const NAMES = { pause: "Pause", drain: "Drain", resume: "Resume" };

export function buttons(client, refresh) {
  let queue = null;
  const act = async (deed) => {
    queue = (await client.get("/admin/queues")).data.find((each) => each.queue === queue.queue) ?? queue; // fresh numbers
    const done = await ask({
      title: `${NAMES[deed]} ${queue.queue}?`,
      body: h(
        "ul",
        { class: "consequences" },
        consequences(deed, queue).map((line) => h("li", null, line)),
      ),
      verb: `${NAMES[deed]} ${queue.queue}`,
      danger: deed !== "resume",
      act: () => client.post(`/admin/queues/${queue.queue}/${deed}`),
    });
    if (done) {
      tell(
        `${done.queue} is ${done.state}.${done.state === "draining" ? ` ${plural(done.processing, "job")} to go.` : ""}`,
      );
      await refresh();
    }
  };
  const all = Object.keys(NAMES).map((deed) => [deed, button(NAMES[deed], () => act(deed).catch(complain), "quiet")]);
  const element = h(
    "div",
    { class: "deeds" },
    all.map(([, each]) => each),
  );
  function update(now) {
    queue = now;
    for (const [deed, each] of all) {
      each.hidden = deed === "resume" ? !now.paused : now.paused && (deed === "pause" || now.draining);
      each.setAttribute("aria-label", `${NAMES[deed]} ${now.queue}`);
    }
  }
  return { element, update };
}
