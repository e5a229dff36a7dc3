/* Keys for the desk. Single keys can be switched off in the help, as WCAG 2.1.4 asks. */
(function () {
  "use strict";
  const help = document.querySelector("[data-help]");
  const tab = document.querySelector(".tabs [aria-current]");
  /* On a phone the tab one is in may lie beyond the edge. */
  if (tab) { tab.scrollIntoView({ block: "nearest", inline: "center" }); }
  const toggle = document.querySelector("[data-keys-switch]");

  function wanted() {
    try { return localStorage.getItem("keys") !== "off"; } catch (e) { return true; }
  }
  function showHelp() {
    if (help && !help.open) { help.showModal(); }
    return Boolean(help);
  }

  document.querySelectorAll("[data-help-open]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", showHelp);
  });
  if (toggle) {
    toggle.checked = wanted();
    toggle.addEventListener("change", function () {
      try { localStorage.setItem("keys", toggle.checked ? "on" : "off"); } catch (e) { /* kept nowhere */ }
    });
  }

  function rowAtHand() {
    return document.activeElement && document.activeElement.closest("[data-row]");
  }
  function move(step) {
    const links = Array.from(document.querySelectorAll("[data-row] .who a"));
    if (!links.length) { return false; }
    const row = rowAtHand();
    const at = row ? links.indexOf(row.querySelector(".who a")) : (step > 0 ? -1 : links.length);
    links[Math.min(Math.max(at + step, 0), links.length - 1)].focus();
    return true;
  }
  function select() {
    const row = rowAtHand();
    const box = row && row.querySelector(".pick input");
    if (box) { box.click(); }
    return Boolean(box);
  }
  function focusOn(selector) {
    const target = document.querySelector(selector);
    if (target) { target.focus(); }
    return Boolean(target);
  }

  const FIELDS = "select, input:not([type=hidden]), textarea";
  /* Show a form of the lead's page, and stand in its first field; a button is only stood on. */
  function unfold(act) {
    if (act.matches("button, a, input, select, textarea")) { act.focus(); return; }
    const folded = act.closest("details");
    if (folded) { folded.open = true; }
    const first = act.querySelector("[data-key]") || Array.from(act.querySelectorAll(FIELDS)).find(
      /* Not by what is drawn: of a form that opens right now nothing is, yet. */
      function (each) { return !each.closest("details:not([open])"); }
    ) || act.querySelector("button[type=submit], button");
    if (first) { first.focus(); }
    act.scrollIntoView({ block: "nearest" });
  }
  /* On a lead's page its form; in a list the same form of the lead one stands on. */
  function act(key, anchor) {
    return function () {
      const form = document.querySelector('[data-act="' + key + '"]');
      if (form) { unfold(form); return true; }
      const row = rowAtHand();
      const link = row && row.querySelector(".who a");
      if (link) { location.assign(link.href.split("#")[0] + "#" + anchor); }
      return Boolean(link);
    };
  }

  const anchors = { a: "accept", d: "decline", c: "contacted", r: "reply", n: "note" };
  const keys = {
    j: function () { return move(1); },
    k: function () { return move(-1); },
    x: select,
    "/": function () { return focusOn("[data-search]"); },
    "?": showHelp
  };
  Object.keys(anchors).forEach(function (key) { keys[key] = act(key, anchors[key]); });

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) { return; }
    if (event.target.matches("input:not([type=checkbox]), select, textarea, [contenteditable]")) { return; }
    if ((help && help.open) || !wanted()) { return; }
    const chosen = keys[event.key.toLowerCase()];
    if (chosen && chosen()) { event.preventDefault(); }
  });

  /* Whoever comes by a link to a form finds it open. */
  function arrive() {
    const name = decodeURIComponent(location.hash.slice(1));
    if (!name || document.querySelector(".inbox")) { return; }
    const key = Object.keys(anchors).find(function (each) { return anchors[each] === name; });
    const form = (key && document.querySelector('[data-act="' + key + '"]')) ||
      document.getElementById(name);
    if (form && form.closest("form, details, section, button")) { unfold(form); }
  }
  window.addEventListener("hashchange", arrive);
  arrive();
})();

/* The list keeps itself up to date without moving what is read: rows change where they stand, new
   ones are announced and wait to be shown, and ticks, focus and place stay. */
(function () {
  "use strict";
  const banner = document.querySelector("[data-fresh]");
  if (!banner || !document.getElementById("inbox")) { return; }
  const words = banner.querySelector("[data-fresh-words]");
  let waiting = null;

  function byRow(place) {
    const rows = new Map();
    place.querySelectorAll("[data-row]").forEach(function (row) { rows.set(row.dataset.row, row); });
    return rows;
  }
  function told(template, number) {
    return template.replace("{n}", new Intl.NumberFormat(document.documentElement.lang).format(number));
  }

  function updateCounts(here, fresh) {
    const now = fresh.querySelectorAll(".tabs a");
    here.querySelectorAll(".tabs a").forEach(function (tab, index) {
      if (now[index] && tab.innerHTML !== now[index].innerHTML) {
        tab.replaceChildren(...now[index].cloneNode(true).childNodes);
      }
    });
  }
  function updateRow(row, fresh) {
    const cells = Array.from(fresh.cells);
    Array.from(row.cells).forEach(function (cell, index) {
      const now = cells[index];
      if (!now || cell.matches(".pick") || cell.contains(document.activeElement)) { return; }
      if (cell.innerHTML !== now.innerHTML) { cell.replaceChildren(...now.cloneNode(true).childNodes); }
    });
  }

  function show() {
    if (!waiting) { return; }
    const here = document.getElementById("inbox");
    const known = byRow(here);
    const ticked = new Set(Array.from(here.querySelectorAll(".pick input:checked"), function (box) {
      return box.value;
    }));
    ["[data-list]", ".pager"].forEach(function (part) {
      const old = here.querySelector(part);
      const now = waiting.querySelector(part);
      if (old && now) { old.replaceWith(now); } else if (now) { here.append(now); } else if (old) { old.remove(); }
    });
    here.querySelectorAll(".pick input").forEach(function (box) { box.checked = ticked.has(box.value); });
    const first = Array.from(byRow(here)).find(function (entry) { return !known.has(entry[0]); });
    byRow(here).forEach(function (row, id) { row.classList.toggle("is-new", !known.has(id)); });
    waiting = null;
    banner.hidden = true;
    document.dispatchEvent(new CustomEvent("desk:ticked"));
    return first && first[1].querySelector(".who a");
  }

  /* The row one stands on, else the first in sight, stays where it is while others grow. */
  function keepingPlace(rows, change) {
    const inSight = rows.find(function (row) { return row.getBoundingClientRect().bottom > 0; });
    const anchor = rows.find(function (row) { return row.contains(document.activeElement); }) || inSight;
    const before = anchor && anchor.getBoundingClientRect().top;
    change();
    if (anchor) {
      window.scrollBy({ top: anchor.getBoundingClientRect().top - before, behavior: "instant" });
    }
  }

  function merge(fresh) {
    const here = document.getElementById("inbox");
    const known = byRow(here);
    const now = byRow(fresh);
    keepingPlace(Array.from(known.values()), function () {
      updateCounts(here, fresh);
      known.forEach(function (row, id) {
        if (now.has(id) && row.cells) { updateRow(row, now.get(id)); }
        row.classList.toggle("is-gone", !now.has(id));
      });
    });
    const news = Array.from(now.keys()).filter(function (id) { return !known.has(id); }).length;
    waiting = fresh;
    if (!news) { banner.hidden = true; words.textContent = ""; return; }
    const message = told(words.dataset.freshWords, news);
    banner.hidden = false;
    if (words.textContent !== message) { words.textContent = message; }
    if (!known.size) {
      /* Nothing is read here yet: they may stand there at once. */
      show();
      banner.hidden = false;
      banner.querySelector("[data-fresh-show]").hidden = true;
    } else {
      banner.querySelector("[data-fresh-show]").hidden = false;
    }
  }

  document.addEventListener("htmx:beforeSwap", function (event) {
    if (event.detail.target.id !== "inbox" || event.detail.xhr.status !== 200) { return; }
    event.detail.shouldSwap = false;
    const answer = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
    const fresh = answer.getElementById("inbox");
    if (fresh) { merge(fresh); }
  });
  banner.querySelector("[data-fresh-show]").addEventListener("click", function () {
    const link = show();
    if (link) { link.focus(); }
  });
})();

/* The bar for several leads shows itself once one is ticked. */
(function () {
  "use strict";
  const bar = document.querySelector("[data-bulk]");
  if (!bar) { return; }
  const words = bar.querySelector("[data-bulk-words]");

  function boxes() { return Array.from(document.querySelectorAll(".pick input")); }
  function update() {
    const number = boxes().filter(function (box) { return box.checked; }).length;
    bar.classList.toggle("is-idle", !number);
    words.textContent = number ? words.dataset.bulkWords.replace(
      "{n}", new Intl.NumberFormat(document.documentElement.lang).format(number)) : "";
  }
  function tick(all) {
    boxes().forEach(function (box) { box.checked = all; });
    update();
  }
  [["[data-bulk-all]", true], ["[data-bulk-none]", false]].forEach(function (each) {
    const button = bar.querySelector(each[0]);
    button.hidden = false;
    button.addEventListener("click", function () { tick(each[1]); });
  });
  document.addEventListener("change", function (event) {
    if (event.target.matches(".pick input")) { update(); }
  });
  document.addEventListener("desk:ticked", update);
  window.addEventListener("pageshow", update);
  bar.classList.add("is-bar");
  update();
})();
