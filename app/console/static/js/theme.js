// Before the first paint, so that nothing flashes: the colours that were chosen last, else the system's.
(() => {
  const chosen = localStorage.getItem("homeroom.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
