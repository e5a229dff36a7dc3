/* Keys for the desk. Single keys can be switched off in the help, as WCAG 2.1.4 asks. */
(function () {
  "use strict";
  var help = document.querySelector("[data-help]");
  var openers = document.querySelectorAll("[data-help-open]");
  var toggle = document.querySelector("[data-keys-switch]");

  function wanted() {
    try { return localStorage.getItem("keys") !== "off"; } catch (e) { return true; }
  }
  function showHelp() { if (help && !help.open) { help.showModal(); } }

  openers.forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", showHelp);
  });
  if (toggle) {
    toggle.checked = wanted();
    toggle.addEventListener("change", function () {
      try { localStorage.setItem("keys", toggle.checked ? "on" : "off"); } catch (e) { /* kept nowhere */ }
    });
  }

  function move(step) {
    var links = Array.prototype.slice.call(document.querySelectorAll("[data-row] .who a"));
    if (!links.length) { return false; }
    var row = document.activeElement && document.activeElement.closest("[data-row]");
    var at = row ? links.indexOf(row.querySelector(".who a")) : (step > 0 ? -1 : links.length);
    links[Math.min(Math.max(at + step, 0), links.length - 1)].focus();
    return true;
  }
  function unfold(key) {
    var act = document.querySelector('[data-act="' + key + '"]');
    if (!act) { return false; }
    act.open = true;
    var first = act.querySelector("select, input:not([type=hidden]), textarea");
    if (first) { first.focus(); }
    return true;
  }
  function focusOn(selector) {
    var target = document.querySelector(selector);
    if (target) { target.focus(); }
    return Boolean(target);
  }

  var keys = {
    j: function () { return move(1); },
    k: function () { return move(-1); },
    a: function () { return focusOn('[data-key="a"]'); },
    d: function () { return unfold("d"); },
    c: function () { return unfold("c"); },
    "/": function () { return focusOn("[data-search]"); },
    "?": function () { showHelp(); return Boolean(help); }
  };
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) { return; }
    if (event.target.matches("input, select, textarea, [contenteditable]")) { return; }
    if (help && help.open) { return; }
    if (!wanted()) { return; }
    var act = keys[event.key.toLowerCase()];
    if (act && act()) { event.preventDefault(); }
  });
})();
