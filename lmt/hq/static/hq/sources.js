/* A button beside what is to be copied; without scripts it is selected whole by one press. */
(function () {
  "use strict";
  if (!navigator.clipboard) { return; }
  document.querySelectorAll("[data-copy]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      var words = button.querySelector("span");
      navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent).then(function () {
        words.textContent = button.dataset.copied;
        words.setAttribute("role", "status");
      });
    });
  });
})();
