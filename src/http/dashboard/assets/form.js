// A length that is typed beside "other" chooses it; a length that is chosen empties the field.
"use strict";
(() => {
  const typed = document.getElementById("expires");
  if (!typed) return;
  const other = typed.form.querySelector("input[name=preset][value=other]");
  typed.addEventListener("input", () => { if (typed.value.trim()) other.checked = true; });
  for (const preset of typed.form.querySelectorAll("input[name=preset]")) {
    preset.addEventListener("change", () => { if (preset !== other) typed.value = ""; });
  }
})();
