/* What a brand's own consent banner would do: say whether the visit may be remembered. */
"use strict";
(function () {
  const banner = document.querySelector(".say-so");
  const when = (name) => function () {
    if (window.lmtVisit) window.lmtVisit[name]();
    banner.hidden = true;
  };
  banner.querySelector("[data-allow]").addEventListener("click", when("allow"));
  banner.querySelector("[data-forget]").addEventListener("click", when("forget"));
})();
