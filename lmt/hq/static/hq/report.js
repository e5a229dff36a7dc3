/* Draws the report's charts. The table below them says the same without scripts. */
(function () {
  "use strict";
  var source = document.getElementById("report-charts");
  if (!source || !window.vegaEmbed) { return; }
  var asked = JSON.parse(source.textContent);
  var root = document.documentElement;

  function config(theme, place) {
    var style = getComputedStyle(place);
    var soft = getComputedStyle(root).getPropertyValue("--ink-soft").trim() || style.color;
    var line = getComputedStyle(root).getPropertyValue("--line").trim() || style.color;
    var font = style.fontFamily;
    var narrow = place.clientWidth < 480;
    return Object.assign({
      font: font,
      view: { stroke: null },
      axis: {
        labelColor: style.color, titleColor: soft, gridColor: line, domainColor: line,
        tickColor: line, labelFontSize: 12, titleFontSize: 12,
        titleFontWeight: "normal", labelLimit: narrow ? 100 : 180
      },
      legend: { labelColor: style.color, titleColor: soft, labelFontSize: 12, symbolType: "square",
        columns: narrow ? 1 : 3 },
      text: { color: style.color },
      point: { color: asked.themes[theme].range.category[2] }
    }, asked.themes[theme]);
  }

  function draw() {
    var theme = root.getAttribute("data-bs-theme") === "dark" ? "dark" : "light";
    Object.keys(asked.charts).forEach(function (name) {
      var place = document.getElementById("chart-" + name);
      if (!place) { return; }
      window.vegaEmbed(place, asked.charts[name], {
        actions: false,
        ast: true,
        config: config(theme, place),
        defaultStyle: false,
        expr: window.vegaExpressionInterpreter,
        formatLocale: asked.numbers,
        logLevel: window.vega.Error,
        renderer: "svg",
        tooltip: { disableDefaultStyle: true, theme: theme }
      }).then(function () {
        /* The table says it to screen readers; marks without a name would only confuse them. */
        place.querySelector("svg").setAttribute("aria-hidden", "true");
      });
    });
  }

  draw();
  new MutationObserver(draw).observe(root, { attributes: true, attributeFilter: ["data-bs-theme"] });
})();
