/* Puts a snippet where the cursor stands. Without this, the same button puts it at the end. */
(function () {
  "use strict";

  const entered = new WeakSet();

  document.addEventListener("focusin", function (event) {
    if (event.target.matches("[data-reply-body]")) { entered.add(event.target); }
  });

  function insert(body, text) {
    // Before anybody was in the letter its cursor stands at the beginning, where no one wants it.
    const start = entered.has(body) ? body.selectionStart : body.value.length;
    const end = entered.has(body) ? body.selectionEnd : body.value.length;
    const before = body.value.slice(0, start), after = body.value.slice(end);
    const endsLine = after === "" || after.startsWith("\n");
    // A paragraph of its own, unless it is put into the middle of a line.
    const gap = before && endsLine && !before.endsWith("\n") ? "\n\n" : "";
    body.setRangeText(gap + text, start, end, "end");
    body.dispatchEvent(new Event("input", { bubbles: true }));
    body.focus();
  }

  document.addEventListener("click", function (event) {
    const button = event.target.closest("[data-snippet]");
    const body = button && button.form && button.form.querySelector("[data-reply-body]");
    if (!body) { return; }
    event.preventDefault();
    insert(body, button.dataset.snippet);
  });
})();
