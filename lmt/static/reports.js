/* What the pages of reports gain from scripts: charts, and a search in long lists of boxes. */
(function () {
  "use strict";
  var root = document.documentElement;

  /* The table behind a chart says the same without scripts. */
  function themeNow() { return root.getAttribute("data-bs-theme") === "dark" ? "dark" : "light"; }

  function drawn(place, asked) {
    return window.vegaEmbed(place, asked.chart, {
      actions: false,
      ast: true,
      config: asked.configs[themeNow()],
      defaultStyle: false,
      expr: window.vegaExpressionInterpreter,
      formatLocale: asked.numbers,
      logLevel: window.vega.Error,
      renderer: "svg",
      tooltip: { disableDefaultStyle: true, theme: themeNow() }
    }).then(function () {
      var svg = place.querySelector("svg");
      /* The table says it to screen readers; marks without a name would only confuse them. */
      if (svg) { svg.setAttribute("aria-hidden", "true"); }
    });
  }

  function named(id) {
    var source = document.getElementById(id);
    return source ? JSON.parse(source.textContent) : {};
  }

  /* A page of one chart has all in one place; one of several has their looks but once. */
  function chart(place, looks) {
    var asked = Object.assign({}, looks, named(place.dataset.chart || "report-chart"));
    function draw() { drawn(place, asked); }
    draw();
    new MutationObserver(draw).observe(root, {
      attributes: true, attributeFilter: ["data-bs-theme"]
    });
  }

  function charts() {
    if (!window.vegaEmbed) { return; }
    var looks = named("chart-looks");
    document.querySelectorAll("[data-chart]").forEach(function (place) { chart(place, looks); });
  }

  /* A list of more boxes than one sees at once can be searched. */
  var MANY = 10;

  function search(list) {
    var boxes = Array.prototype.slice.call(list.querySelectorAll(".form-check"));
    if (boxes.length <= MANY) { return; }
    var input = document.createElement("input");
    input.type = "search";
    input.className = "form-control";
    input.placeholder = list.dataset.searched;
    input.setAttribute("aria-label",
      list.dataset.searched + ": " + list.querySelector("legend").textContent.trim());
    input.addEventListener("input", function () {
      var wanted = input.value.trim().toLocaleLowerCase();
      boxes.forEach(function (box) {
        var fits = box.textContent.toLocaleLowerCase().indexOf(wanted) >= 0;
        box.hidden = !fits && !box.querySelector("input").checked;
      });
    });
    input.addEventListener("keydown", function (event) {
      if (event.key === "Enter") { event.preventDefault(); }
    });
    list.insertBefore(input, list.querySelector(".tick-scroll"));
  }

  document.querySelectorAll("[data-searched]").forEach(search);
  charts();
})();
