// Copy buttons: data-copy names the element whose text is copied.
"use strict";
(() => {
  const copy = async (text, element) => {
    if (navigator.clipboard && window.isSecureContext) {
      try { await navigator.clipboard.writeText(text); return true; } catch { /* the older way */ }
    }
    const range = document.createRange();
    range.selectNodeContents(element);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    return document.execCommand("copy");
  };
  const show = (root) => { for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = false; };
  show(document);
  document.addEventListener("dashboard:updated", () => show(document));
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("button[data-copy]");
    const element = button && document.getElementById(button.dataset.copy);
    if (!element) return;
    const word = button.textContent;
    button.textContent = (await copy(element.textContent, element)) ? "Copied" : "Press Ctrl+C";
    setTimeout(() => { button.textContent = word; }, 2000);
  });
})();
