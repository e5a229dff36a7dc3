/* An answer that comes while somebody types must not take away what is typed: those fields are
   left as they are, and the next answer brings what is new in them. */
document.addEventListener("htmx:oobBeforeSwap", function (event) {
  "use strict";
  var target = event.detail.target;
  if (target.id === "mapping-fields" && target.contains(document.activeElement)) {
    event.detail.shouldSwap = false;
  }
});
