/* Draws the maps of a page. The list in each figure says the same without scripts. */
(function () {
  "use strict";
  var root = document.documentElement;
  var mirrored = root.dir === "rtl";
  var still = window.matchMedia && window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  var MOST_ZOOM_OF_OUTLINES = 13;
  var SHORTEST_WITH_NAME = 70;
  var SMALL = { dealer: true, moved: true };
  var bases = {};

  function base(address) {
    bases[address] = bases[address] || fetch(address).then(function (answer) {
      if (!answer.ok) { throw new Error("no base map: " + answer.status); }
      return answer.json();
    }).then(function (world) { return topojson.feature(world, world.objects.countries); });
    return bases[address];
  }

  /* Beside the first place, also where the antimeridian lies between the two. */
  function beside(lon, first) {
    while (lon - first > 180) { lon -= 360; }
    while (lon - first < -180) { lon += 360; }
    return lon;
  }

  function countryName(number) {
    try {
      var region = Intl.getCanonicalLocales("und-" + number)[0].split("-")[1];
      return new Intl.DisplayNames([root.lang], { type: "region", fallback: "none" }).of(region) || "";
    } catch (e) { return ""; }
  }

  function element(tag, cls, text) {
    var made = document.createElement(tag);
    made.className = cls;
    if (text) { made.textContent = text; }
    return made;
  }

  function sign(cls, text) {
    return L.divIcon({ className: cls, html: element("span", "", text), iconSize: null });
  }

  function told(point) {
    var box = element("div", "lmt-map-told");
    box.dir = root.dir;
    var name = element("strong", "", point.name);
    name.dir = "auto";
    box.appendChild(name);
    if (point.note) { box.appendChild(element("div", "", point.note)); }
    return box;
  }

  var Scale = window.L && L.Control.Scale.extend({
    _updateMetric: function (metres) {
      var round = this._getRoundNum(metres);
      var far = round >= 1000;
      var words = new Intl.NumberFormat(root.lang, {
        style: "unit", unit: far ? "kilometer" : "meter", unitDisplay: "short"
      }).format(far ? round / 1000 : round);
      this._updateScale(this._mScale, words, round / metres);
    }
  });

  var Whole = window.L && L.Control.extend({
    onAdd: function (map) {
      var bar = element("div", "leaflet-bar");
      var link = element("a", "lmt-map-whole");
      link.href = "#";
      link.setAttribute("role", "button");
      link.title = this.options.words;
      link.setAttribute("aria-label", this.options.words);
      bar.appendChild(link);
      L.DomEvent.disableClickPropagation(bar);
      L.DomEvent.on(link, "click", function (event) {
        L.DomEvent.stop(event);
        map.closePopup();
        this.options.show();
      }, this);
      return bar;
    }
  });

  /* A country is named where its largest part is wide enough for its name. */
  function nameCountries(map, countries) {
    var names = L.layerGroup().addTo(map);
    var places = countries.features.map(function (country) {
      var widest = null;
      country.geometry.coordinates.forEach(function (polygon) {
        var box = L.latLngBounds(polygon[0].map(function (at) { return [at[1], at[0]]; }));
        var width = box.getEast() - box.getWest();
        if (width < 350 && (!widest || width > widest.getEast() - widest.getWest())) { widest = box; }
      });
      return { box: widest, id: country.id };
    }).filter(function (place) { return place.box; });
    function write() {
      names.clearLayers();
      var seen = map.getBounds().pad(0.2);
      places.forEach(function (place) {
        if (!seen.intersects(place.box)) { return; }
        var wide = map.project(place.box.getNorthEast()).x - map.project(place.box.getSouthWest()).x;
        if (wide < 70) { return; }
        place.name = place.name === undefined ? countryName(place.id) : place.name;
        if (!place.name || place.name.length * 7 > wide) { return; }
        L.marker(place.box.getCenter(), {
          icon: sign("lmt-map-country", place.name), interactive: false, keyboard: false,
          zIndexOffset: -1000
        }).addTo(names);
      });
    }
    map.on("moveend", write);
    write();
  }

  /* Written along a line that is long enough, lest it hide the places at its ends. */
  function nameLine(map, drawn, name) {
    function write() {
      var ends = drawn.getLatLngs().map(function (at) { return map.latLngToLayerPoint(at); });
      drawn.unbindTooltip();
      if (ends[0].distanceTo(ends[1]) < SHORTEST_WITH_NAME) { return; }
      drawn.bindTooltip(element("bdi", "", name), {
        permanent: true, direction: "center", className: "lmt-map-along", opacity: 1
      });
    }
    map.on("zoomend", write);
    write();
  }

  function bounds(area, near) {
    var corner = near([area.south, area.west]);
    return L.latLngBounds(corner, [area.north, corner.lng + area.east - area.west]);
  }

  /* A square with its number in it, which is a link. */
  function drawArea(map, area, box) {
    L.rectangle(box, {
      className: "lmt-area lmt-area-" + area.kind + " lmt-area-s" + area.strength, weight: 1
    }).on("click", function () { window.location.assign(area.address); }).addTo(map);
    var link = element("a", "", area.mark);
    link.href = area.address;
    link.title = area.name + (area.note ? " · " + area.note : "");
    link.setAttribute("aria-label", link.title);
    return L.marker(box.getCenter(), {
      icon: L.divIcon({ className: "lmt-area-mark lmt-area-mark-" + area.kind, html: link, iconSize: null }),
      keyboard: false, zIndexOffset: 1000
    }).addTo(map);
  }

  /* Numbers that would cover one another give way to those before them, until the map is nearer. */
  function makeRoom(map, marks) {
    function write() {
      var placed = [];
      marks.forEach(function (mark) {
        var sign = mark.getElement();
        var half = L.point(sign.firstChild.offsetWidth, sign.firstChild.offsetHeight).divideBy(2);
        var at = map.latLngToLayerPoint(mark.getLatLng());
        var box = L.bounds(at.subtract(half), at.add(half));
        var covers = placed.some(function (other) { return other.overlaps(box); });
        sign.style.visibility = covers ? "hidden" : "";
        if (!covers) { placed.push(box); }
      });
    }
    map.on("zoomend", write);
    write();
  }

  /* Of places of one kind that lie on each other one is drawn, which counts and tells them all. */
  function joinPlaces(map, places) {
    function write() {
      var drawn = [];
      places.forEach(function (place) {
        var at = map.latLngToLayerPoint(place.marker.getLatLng());
        var host = drawn.find(function (other) {
          return other.kind === place.point.kind && other.at.distanceTo(at) < place.near;
        });
        place.marker.remove();
        if (host) { host.points.push(place.point); return; }
        drawn.push({ kind: place.point.kind, at: at, marker: place.marker, points: [place.point] });
      });
      drawn.forEach(function (group) {
        var box = element("div", "lmt-map-group");
        group.points.forEach(function (point) { box.appendChild(told(point)); });
        group.marker.setPopupContent(box).addTo(map);
        if (group.points.length > 1) {
          group.marker.getElement().dataset.more =
            new Intl.NumberFormat(root.lang).format(group.points.length - 1);
        }
      });
    }
    map.on("zoomend", write);
    write();
  }

  function drawBase(map, figure, wide) {
    if (figure.dataset.mapTiles) {
      /* The text is the installation's own, but a text it stays. */
      L.tileLayer(figure.dataset.mapTiles, {
        attribution: element("span", "", figure.dataset.mapTilesCredit).outerHTML, maxZoom: 18
      }).addTo(map);
      return;
    }
    map.attributionControl.addAttribution("Natural Earth");
    base(figure.dataset.mapBase).then(function (countries) {
      [0].concat(wide.getEast() > 180 ? [360] : [], wide.getWest() < -180 ? [-360] : [])
        .forEach(function (shift) {
          L.geoJSON(countries, {
            interactive: false, className: "lmt-map-land", pane: "tilePane", weight: 1,
            coordsToLatLng: function (at) { return L.latLng(at[1], at[0] + shift); }
          }).addTo(map);
        });
      nameCountries(map, countries);
    }).catch(function (problem) { window.console.warn(problem); });
  }

  function draw(figure) {
    var source = document.getElementById(figure.dataset.mapSource);
    var view = figure.querySelector(".lmt-map-view");
    if (!source || !view || figure.dataset.drawn) { return; }
    var asked = JSON.parse(source.textContent);
    asked.areas = asked.areas || [];
    if (!asked.points.length && !asked.areas.length) { return; }
    figure.dataset.drawn = "yes";
    view.hidden = false;
    var first = asked.areas.length ? asked.areas[0].west : asked.points[0].lon;
    var near = function (at) { return L.latLng(at[0], beside(at[1], first)); };
    var all = L.latLngBounds([]);
    var map = L.map(view, {
      zoomControl: false, attributionControl: false, scrollWheelZoom: false, minZoom: 1,
      maxZoom: figure.dataset.mapTiles ? 18 : MOST_ZOOM_OF_OUTLINES,
      zoomSnap: figure.dataset.mapTiles ? 1 : 0.25, zoomAnimation: !still, fadeAnimation: !still, markerZoomAnimation: !still
    });
    asked.areas.forEach(function (area) { all.extend(bounds(area, near)); });
    if (!asked.areas.length) { asked.points.forEach(function (point) {
      var at = near([point.lat, point.lon]);
      all.extend(point.within_km ? at.toBounds(point.within_km * 2000) : at);
    }); }
    asked.lines.forEach(function (line) { all.extend(near(line.start)); all.extend(near(line.end)); });
    // Without streets, one place alone would be a dot on plain ground.
    var single = !asked.areas.length && asked.points.length === 1 && !asked.lines.length;
    var show = function () { map.fitBounds(all.pad(0.15), { maxZoom: figure.dataset.mapTiles ? 14 : single ? 6 : 11, animate: !still }); };
    show();
    var start = mirrored ? "right" : "left";
    var end = mirrored ? "left" : "right";
    L.control.zoom({
      position: "top" + start, zoomInTitle: figure.dataset.mapZoomIn,
      zoomOutTitle: figure.dataset.mapZoomOut
    }).addTo(map);
    new Whole({ position: "top" + start, words: figure.dataset.mapWhole, show: show }).addTo(map);
    new Scale({ position: "bottom" + start, imperial: false }).addTo(map);
    map.attributionControl = L.control.attribution({ position: "bottom" + end, prefix: false }).addTo(map);
    drawBase(map, figure, all);
    makeRoom(map, asked.areas.map(function (area) { return drawArea(map, area, bounds(area, near)); }));
    asked.lines.forEach(function (line) {
      var drawn = L.polyline([near(line.start), near(line.end)], {
        className: "lmt-path lmt-path-" + line.kind, interactive: false, weight: 2
      }).addTo(map);
      if (line.name) {
        nameLine(map, drawn, line.name);
      }
    });
    joinPlaces(map, asked.points.map(function (point) {
      var at = near([point.lat, point.lon]);
      if (point.within_km) {
        L.circle(at, {
          radius: point.within_km * 1000, className: "lmt-map-within", interactive: false, weight: 1
        }).addTo(map);
      }
      var marker = L.marker(at, {
        icon: sign("lmt-mark lmt-point-" + point.kind, point.mark || ""), keyboard: false,
        riseOnHover: true, zIndexOffset: { lead: 900, own: 800, chosen: 800, ranked: 400 }[point.kind] || 0
      }).bindPopup("", { closeButton: false });
      return { marker: marker, near: SMALL[point.kind] ? 10 : 18, point: point };
    }));
    /* A wheel over the map scrolls the page until somebody means the map. */
    view.addEventListener("focusin", function () { map.scrollWheelZoom.enable(); });
    view.addEventListener("focusout", function () { map.scrollWheelZoom.disable(); });
    if (window.ResizeObserver) {
      new ResizeObserver(function () { map.invalidateSize({ animate: false }); }).observe(view);
    }
  }

  function drawAll(place) {
    if (!window.L || !window.topojson) { return; }
    (place || document).querySelectorAll("figure.lmt-map").forEach(function (figure) {
      var folded = figure.closest("details:not([open])");
      if (folded) {
        folded.addEventListener("toggle", function () { drawAll(folded); }, { once: true });
      } else { draw(figure); }
    });
  }

  drawAll();
  document.addEventListener("htmx:load", function (event) { drawAll(event.target); });
})();
