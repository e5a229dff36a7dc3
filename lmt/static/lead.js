/* The page of one lead: a link to one of its forms opens it, also when it was folded away. */
(function () {
  "use strict";

  function unfold() {
    var name = decodeURIComponent(location.hash.slice(1));
    var target = name ? document.getElementById(name) : null;
    if (!target) { return; }
    var fold = target.closest("details");
    if (fold) { fold.open = true; }
    var first = target.matches("details, form")
      ? target.querySelector("button[type=submit][data-key], textarea, select, input:not([type=hidden])")
      : null;
    if (first) { first.focus({ preventScroll: true }); }
    target.scrollIntoView({ block: "start" });
  }

  /* Typing a time of one's own chooses it: a picked one would win otherwise. */
  document.addEventListener("input", function (event) {
    if (event.target.name !== "due_at" || !event.target.form) { return; }
    var picked = event.target.form.querySelector('input[name="when"]:checked');
    if (picked) { picked.checked = false; }
  });

  window.addEventListener("hashchange", unfold);
  unfold();
})();
