// Plots of an hour: a few series over time, drawn as SVG. One path a series, so a redraw costs next to nothing.

import { h, svg, say, mark } from "./dom.js";
import { now } from "./format.js";

const WIDTH = 600,
  HEIGHT = 100,
  SPAN = 3_600_000;
const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

// A round number at or above the greatest value, so that the scale does not twitch with every sample.
function ceiling(value, least) {
  const above = Math.max(value, least);
  const power = 10 ** Math.floor(Math.log10(above));
  return [1, 2, 3, 5, 10].map((step) => step * power).find((step) => step >= above * 0.999);
}

export function plot({ title, series, format, least }) {
  const areas = series.map((each) => svg("path", { class: `area ${each.cls}` }));
  const lines = series.map((each) => svg("path", { class: `line ${each.cls}` }));
  const cursor = svg("line", { class: "cursor", y1: 0, y2: HEIGHT, visibility: "hidden" });
  const quarters = [1, 2, 3].map((part) =>
    svg("line", { class: "grid", x1: (WIDTH * part) / 4, x2: (WIDTH * part) / 4, y1: 0, y2: HEIGHT }),
  );
  const canvas = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    quarters,
    areas,
    lines,
    cursor,
  );
  const legend = series.map((each) => h("b", { class: each.cls }));
  const when = h("i");
  const top = h("span", { class: "top" });
  const nothing = h("span", { class: "nothing" });
  const frame = h("div", { class: "canvas", tabindex: "0", role: "img" }, canvas, top, nothing);
  const element = h(
    "figure",
    { class: "plot" },
    h(
      "figcaption",
      null,
      h("span", null, title, " ", when),
      h(
        "span",
        { class: "legend" },
        series.map((each, number) => h("span", null, each.name, " ", legend[number])),
      ),
    ),
    frame,
    h(
      "div",
      { class: "axis", "aria-hidden": "true" },
      h("span", null, "−60 min"),
      h("span", null, "−45"),
      h("span", null, "−30"),
      h("span", null, "−15"),
      h("span", null, "now"),
    ),
  );
  let points = [],
    end = 0,
    at = null;

  const x = (moment) => ((moment - end + SPAN) / SPAN) * WIDTH;

  function read() {
    const point = at === null ? points.at(-1) : points[at];
    series.forEach((each, number) => say(legend[number], point ? format(point.values[number]) : "–"));
    say(when, at !== null && point ? `at ${time.format(point.at)}` : "");
    mark(cursor, "visibility", at !== null && point ? "visible" : "hidden");
    if (at !== null && point) {
      mark(cursor, "x1", x(point.at));
      mark(cursor, "x2", x(point.at));
    }
  }

  function pick(event) {
    const box = frame.getBoundingClientRect();
    const wanted = end - SPAN + ((event.clientX - box.left) / box.width) * SPAN;
    let nearest = null;
    points.forEach((point, number) => {
      if (nearest === null || Math.abs(point.at - wanted) < Math.abs(points[nearest].at - wanted)) nearest = number;
    });
    at = nearest;
    read();
  }
  const leave = () => {
    at = null;
    read();
  };
  frame.addEventListener("pointermove", pick);
  frame.addEventListener("pointerleave", leave);
  frame.addEventListener("blur", leave);
  frame.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30 }[event.key];
    if (!step || !points.length) return;
    event.preventDefault();
    at = Math.max(0, Math.min(points.length - 1, (at ?? points.length - 1) + step));
    read();
  });

  // `samples`: [{at, values}], oldest first; a value may be null, and where nobody sampled there is a gap.
  function draw(samples, interval) {
    end = now();
    points = samples;
    at = at === null ? null : Math.min(at, points.length - 1);
    const values = points.flatMap((point) => point.values).filter((value) => value !== null);
    const highest = ceiling(Math.max(0, ...values), least);
    say(top, format(highest));
    say(nothing, values.length ? "" : "nothing yet");
    series.forEach((each, number) => {
      let line = "",
        area = "",
        before = null,
        from = 0;
      if (each.spikes) {
        for (const point of points) {
          if (point.values[number])
            line += `M${x(point.at).toFixed(1)} ${HEIGHT}V${Math.min(HEIGHT - 6, HEIGHT - (point.values[number] / highest) * HEIGHT).toFixed(1)}`;
        }
        mark(lines[number], "d", line);
        return;
      }
      const close = () => {
        if (before) area += `L${x(before.at).toFixed(1)} ${HEIGHT}L${from} ${HEIGHT}Z`;
      };
      for (const point of points) {
        const value = point.values[number];
        if (value === null) {
          close();
          before = null;
          continue;
        }
        const gone = !before || point.at - before.at > 2_500 * interval;
        const place = `${x(point.at).toFixed(1)} ${(HEIGHT - (value / highest) * (HEIGHT - 2)).toFixed(1)}`;
        if (gone) {
          close();
          from = x(point.at).toFixed(1);
          area += `M${from} ${HEIGHT}L${place}`;
          line += `M${place}`;
        } else {
          area += `L${place}`;
          line += `L${place}`;
        }
        before = point;
      }
      close();
      mark(lines[number], "d", line);
      mark(areas[number], "d", area);
    });
    const newest = points.at(-1);
    mark(
      frame,
      "aria-label",
      `${title}, the last hour: ${series.map((each, number) => `${each.name} now ${newest ? format(newest.values[number]) : "unknown"}`).join(", ")}; at most ${format(Math.max(0, ...values))}`,
    );
    read();
  }

  return { element, draw };
}
