/* Light or dark before the first paint: what was chosen here, else what the system prefers. */
(function () {
  "use strict";
  var root = document.documentElement;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  function kept() {
    try { return localStorage.getItem("theme"); } catch (e) { return null; }
  }
  function apply() {
    root.setAttribute("data-bs-theme", kept() || (dark.matches ? "dark" : "light"));
  }
  apply();
  dark.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", function () {
    var button = document.querySelector("[data-theme-toggle]");
    if (!button) { return; }
    button.hidden = false;
    button.addEventListener("click", function () {
      var next = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
      try {
        if (next === (dark.matches ? "dark" : "light")) { localStorage.removeItem("theme"); }
        else { localStorage.setItem("theme", next); }
      } catch (e) { /* private windows keep nothing */ }
      root.setAttribute("data-bs-theme", next);
    });
  });
})();
