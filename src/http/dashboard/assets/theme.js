// Light or dark before the first paint: what the viewer chose here, else what the system says.
"use strict";
(() => {
  const key = "rollout-judge-theme";
  const html = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const read = () => { try { return localStorage.getItem(key); } catch { return null; } };
  const apply = () => {
    const chosen = read();
    html.dataset.theme = chosen === "light" || chosen === "dark" ? chosen : system.matches ? "dark" : "light";
  };
  const changed = () => { apply(); document.dispatchEvent(new CustomEvent("dashboard:theme")); };
  apply();
  system.addEventListener("change", changed);
  addEventListener("storage", (event) => { if (event.key === key) changed(); });
  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return;
    const name = () => {
      const next = html.dataset.theme === "dark" ? "light" : "dark";
      button.setAttribute("aria-label", `Switch to the ${next} theme`);
      button.title = `Switch to the ${next} theme`;
      button.textContent = next === "light" ? "☀" : "☾";
    };
    button.hidden = false;
    name();
    document.addEventListener("dashboard:theme", name);
    button.addEventListener("click", () => {
      const next = html.dataset.theme === "dark" ? "light" : "dark";
      try { localStorage.setItem(key, next); } catch { /* kept for this page only */ }
      html.dataset.theme = next;
      document.dispatchEvent(new CustomEvent("dashboard:theme"));
    });
  });
})();
