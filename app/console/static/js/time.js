// Waiting that ends with the view, and leaves nothing behind.

function until(signal, start) {
  return new Promise((resolve) => {
    let stop = () => {};
    const end = () => {
      stop();
      signal.removeEventListener("abort", end);
      resolve();
    };
    signal.addEventListener("abort", end);
    stop = start(end) ?? stop;
    if (signal.aborted) end();
  });
}

export const sleep = (seconds, signal) =>
  until(signal, (end) => {
    const timeout = setTimeout(end, 1_000 * seconds);
    return () => clearTimeout(timeout);
  });

// Until somebody looks at the tab.
export const seen = (signal) =>
  until(signal, (end) => {
    const look = () => {
      if (!document.hidden) end();
    };
    document.addEventListener("visibilitychange", look);
    queueMicrotask(look);
    return () => document.removeEventListener("visibilitychange", look);
  });
