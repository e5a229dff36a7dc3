/* The dealer picker: searches while the visitor types, finds where they are when they ask for it,
 * and draws the list as a map. The list itself is the server's, the same as without scripts. */
(() => {
  "use strict";
  if (window.LmtPicker) return;
  const TYPING_MS = 400;
  const SHORTEST_TYPED = 2;
  const LOOKING_MS = 10000;
  // What the request is, and nothing of who makes it: the address of a search may be logged.
  const SAID = new Set(["choice", "choices", "model", "country", "hidden"]);
  const SVG = "http://www.w3.org/2000/svg";
  const SIZE = { width: 340, height: 240, edge: 28 };
  const KM_PER_DEGREE = 111.2;

  function button(text, onClick) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "plain";
    made.textContent = text;
    made.addEventListener("click", onClick);
    return made;
  }

  /* By XMLHttpRequest, as it reads HTML into a document without a sink that a strict page forbids:
   * nothing in it runs. Resolves to the document, null where there is no answer. */
  function page(address, isLast) {
    return new Promise((resolve) => {
      const asked = new XMLHttpRequest();
      asked.open("GET", address);
      asked.responseType = "document";
      asked.onload = () => {
        const isSaid = asked.status === 200 || asked.status === 422;
        resolve(isLast() ? { answer: isSaid ? asked.response : null } : {});
      };
      asked.timeout = LOOKING_MS;
      asked.onerror = asked.ontimeout = () => resolve(isLast() ? { answer: null } : {});
      asked.send();
    });
  }

  function mayLocate() {
    const policy = document.permissionsPolicy || document.featurePolicy;
    const isAllowed = !policy || policy.allowsFeature("geolocation");
    return window.isSecureContext && "geolocation" in navigator && isAllowed;
  }

  // The map

  function drawn(name, attributes, text) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  }

  /* The largest of 1, 2, 5, 10 … that is no more than `most`. */
  function round(most) {
    const ten = 10 ** Math.floor(Math.log10(most));
    return [5, 2, 1].map((each) => each * ten).find((each) => each <= most) || ten;
  }

  /* Schematic: distances and directions are right, north is up, and there are no streets. */
  function map(here, spots, words, lang) {
    const shrink = Math.max(Math.cos((here.lat * Math.PI) / 180), 0.05);
    const km = spots.map((spot) => ({
      ...spot,
      x: (((spot.lon - here.lon + 540) % 360) - 180) * shrink * KM_PER_DEGREE,
      y: (spot.lat - here.lat) * KM_PER_DEGREE,
    }));
    const all = [{ x: 0, y: 0 }, ...km];
    const span = (key) => {
      const values = all.map((each) => each[key]);
      return { least: Math.min(...values), most: Math.max(...values) };
    };
    const [across, up] = [span("x"), span("y")];
    const room = { x: SIZE.width - 2 * SIZE.edge, y: SIZE.height - 2 * SIZE.edge };
    const perKm = Math.min(
      room.x / Math.max(across.most - across.least, 0.2),
      room.y / Math.max(up.most - up.least, 0.2)
    );
    const x = (value) => SIZE.width / 2 + (value - (across.least + across.most) / 2) * perKm;
    const y = (value) => SIZE.height / 2 - (value - (up.least + up.most) / 2) * perKm;
    const svg = drawn("svg", {
      viewBox: `0 0 ${SIZE.width} ${SIZE.height}`,
      role: "img",
      "aria-label": words.picture,
      class: "lmt-dealers-map",
      direction: "ltr",
    });
    svg.append(drawn("path", { class: "here", d: `M${x(0) - 7} ${y(0)}h14m-7 -7v14` }));
    svg.append(drawn("text", { class: "you", x: x(0), y: y(0) + 20 }, words.you));
    // The nearest last: on top.
    for (const spot of [...km].reverse()) {
      const marker = drawn("g", {
        class: spot.radio.disabled ? "marker off" : "marker",
        transform: `translate(${x(spot.x)} ${y(spot.y)})`,
      });
      const number = spot.number.toLocaleString(lang);
      marker.append(drawn("circle", { r: 13 }), drawn("text", { y: 5 }, number));
      marker.addEventListener("click", () => spot.radio.click());
      svg.append(marker);
    }
    const bar = round(SIZE.width / 3 / perKm);
    const [left, low] = [10, SIZE.height - 8];
    const text = words.km.replace("{km}", bar.toLocaleString(lang));
    svg.append(drawn("path", { class: "bar", d: `M${left} ${low - 5}v5h${bar * perKm}v-5` }));
    svg.append(drawn("text", { class: "scale", x: left + 5, y: low - 5 }, text));
    return svg;
  }

  // One picker

  function enhanced(widget, form, data) {
    const key = widget.dataset.dealers;
    const words = JSON.parse(widget.dataset.words);
    const place = form.elements[`${key}-place`];
    const [lat, lon] = [form.elements[`${key}-lat`], form.elements[`${key}-lon`]];
    const trouble = widget.querySelector(".problem");
    const status = widget.querySelector("[data-found-status]");
    const held = widget.querySelector("[data-found]");
    let searches = 0;
    let timer = 0;
    let foundFor = null;
    let isMapped = false;

    const list = () => held.querySelector("[data-list]");
    const chosen = () => {
      const radio = held.querySelector("input[type=radio]:checked");
      const kept = held.querySelector("input[type=hidden]");
      return radio ? radio.value : kept ? kept.value : "";
    };

    function complain(text) {
      trouble.textContent = text;
      trouble.hidden = !text;
      if (text) place.setAttribute("aria-invalid", "true");
      else place.removeAttribute("aria-invalid");
    }

    function address() {
      const asked = new URLSearchParams({ as: "html", field: key, lang: data.lang });
      if (data.version) asked.set("version", data.version);
      for (const [name, value] of new FormData(form)) {
        const control = form.querySelector(`[name="${CSS.escape(name)}"]`);
        const field = control && control.closest("[data-field]");
        const isSaid = field && (SAID.has(field.dataset.type) || name.endsWith("-country"));
        if (isSaid && typeof value === "string" && value) asked.append(name, value);
      }
      asked.set("place", place.value.trim());
      if (lat.value && lon.value) {
        asked.set("lat", lat.value);
        asked.set("lon", lon.value);
      }
      return `${data.base}/embed/${encodeURIComponent(data.code)}/dealers?${asked}`;
    }

    /* `isAsked`: the visitor wants it now, and hears what is wrong; else they are still typing. */
    async function search(isAsked) {
      clearTimeout(timer);
      const mine = ++searches;
      const typed = place.value;
      if (isAsked) status.textContent = words.searching;
      const { answer } = await page(address(), () => mine === searches);
      if (answer === undefined) return;
      const found = answer && answer.querySelector("[data-list]");
      const wrong = answer && answer.querySelector("[data-trouble]");
      if (found) {
        put(found, typed);
        if (isAsked) settle();
      } else if (isAsked) {
        status.textContent = wrong ? "" : words.failed;
        complain(wrong ? wrong.textContent : "");
        if (wrong) place.focus();
      }
    }

    function put(found, typed) {
      const before = chosen();
      const fresh = document.importNode(found, true);
      const radios = [...fresh.querySelectorAll("input[type=radio]")];
      const again = radios.find((radio) => radio.value === before && !radio.disabled);
      for (const radio of radios) radio.checked = radio === again;
      complain("");
      held.replaceChildren(fresh);
      if (radios.length) {
        held.removeAttribute("id");
      } else {
        held.id = key;
        const none = document.createElement("input");
        none.type = "hidden";
        none.name = key;
        held.append(none);
      }
      foundFor = typed;
      status.textContent = fresh.querySelector("[data-summary]").textContent;
      if (radios.length) offerMap(fresh);
      if (before && !again) changed();
    }

    /* The input says the place that was taken: it finds it again when the form is sent. */
    function settle() {
      if (foundFor !== place.value || !list()) return;
      foundFor = list().dataset.typed;
      if (place.value === foundFor) return;
      place.value = foundFor;
      changed();
    }

    function changed() {
      form.dispatchEvent(new Event("input", { bubbles: true }));
    }

    function offerMap(fresh) {
      const rows = [...fresh.querySelectorAll(".lmt-dealer")];
      const spot = (element) => ({ lat: +element.dataset.lat, lon: +element.dataset.lon });
      const spots = rows.map((row, at) => ({
        ...spot(row),
        number: at + 1,
        radio: row.querySelector("input"),
      }));
      const picture = map(spot(fresh), spots, words, data.lang);
      const toggle = button("", () => {
        isMapped = !isMapped;
        show();
      });
      toggle.classList.add("lmt-dealers-toggle");
      function show() {
        toggle.textContent = isMapped ? words.list : words.map;
        toggle.setAttribute("aria-expanded", String(isMapped));
        picture.toggleAttribute("hidden", !isMapped);
        mark();
      }
      function mark() {
        const markers = [...picture.querySelectorAll(".marker")].reverse();
        markers.forEach((each, at) => each.classList.toggle("on", spots[at].radio.checked));
      }
      fresh.addEventListener("change", mark);
      fresh.append(toggle, picture);
      show();
    }

    function locate() {
      status.textContent = words.locating;
      navigator.geolocation.getCurrentPosition(
        ({ coords }) => {
          lat.value = coords.latitude.toFixed(5);
          lon.value = coords.longitude.toFixed(5);
          place.value = "";
          search(true);
        },
        () => {
          status.textContent = "";
          complain(words.nowhere);
          place.focus();
        },
        { maximumAge: 600000, timeout: LOOKING_MS }
      );
    }

    place.addEventListener("input", () => {
      lat.value = lon.value = "";
      clearTimeout(timer);
      searches += 1;
      if (place.value.trim().length < SHORTEST_TYPED) return;
      timer = setTimeout(() => search(false), TYPING_MS);
    });
    place.addEventListener("change", settle);
    place.addEventListener("keydown", (event) => {
      // Enter would send the form; while a word is being composed it only ends that.
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      search(true);
    });
    const find = widget.querySelector(".lmt-dealers-find");
    find.type = "button";
    find.addEventListener("click", () => search(true));
    if (mayLocate()) find.after(button(words.here, locate));
    held.addEventListener("click", (event) => {
      const other = event.target.closest("[data-place]");
      if (!other) return;
      event.preventDefault();
      place.value = other.dataset.place;
      lat.value = lon.value = "";
      place.focus();
      search(true);
    });
    // Another request may be for other dealers.
    form.addEventListener("change", (event) => {
      const field = event.target.closest("[data-field]");
      if (list() && field && !widget.contains(event.target) && SAID.has(field.dataset.type)) {
        search(false);
      }
    });
    if (list()) offerMap(list());
    else if (place.value.trim() || lat.value) search(false);
  }

  function enhance(root, data) {
    const around = root.getRootNode();
    // Our own pages have it among their rules.
    if (around !== document) window.LmtEmbed.dress(around, window.LmtPicker.css);
    for (const widget of root.querySelectorAll("[data-dealers]")) {
      enhanced(widget, widget.closest("form"), data);
    }
  }

  window.LmtPicker = { enhance };
})();
