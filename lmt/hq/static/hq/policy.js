/* After a draft was refused, the summary of what to mend is read out first. */
(function () {
  "use strict";
  var told = document.querySelector("[data-focus]");
  if (told) { told.focus(); }
  /* A field in a folded part is shown when one follows its link. */
  document.addEventListener("click", function (event) {
    var link = event.target.closest(".problems a");
    var field = link && document.getElementById(link.hash.slice(1));
    var folded = field && field.closest("details");
    if (folded) { folded.open = true; }
    if (field) { event.preventDefault(); field.focus(); field.scrollIntoView({ block: "center" }); }
  });
})();
