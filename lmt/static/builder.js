/* The form builder made quick: saved as one goes, moved by keys and by dragging, shown at once.
   Every act is a button of the page's one form, so that it does without this. */
(function () {
  "use strict";

  const builder = document.querySelector("[data-builder]");
  if (!builder) { return; }
  const told = document.getElementById("builder-told");
  const form = () => document.getElementById("builder-form");
  const PHONE_PX = 360;
  const DESKTOP_PX = 1280;

  /* What was typed; which button was pressed and which draft it belongs to are no part of it. */
  function typed() {
    const data = new FormData(form());
    ["number", "do", "former", "preview", "width", "note"].forEach((name) => data.delete(name));
    return new URLSearchParams(data).toString();
  }

  let kept = typed();
  let sent = "";
  let isBusy = false;
  let isAutomatic = false;
  let doing = "";
  let pending = "";
  let timer = 0;

  /* As a person would: htmx remembers which button was clicked, not which one asked to submit. */
  function press(button) {
    button.click();
  }

  function buttonFor(value) {
    return [...form().querySelectorAll("button[name=do]")].find((each) => each.value === value && !each.disabled);
  }

  function saveSoon() {
    clearTimeout(timer);
    state("busy");
    // Of a button that is pressed next, the save must not come before.
    timer = setTimeout(function () {
      if (isBusy) { return; }
      if (form().hasAttribute("data-stale") || typed() === kept) { state("kept"); return; }
      isAutomatic = true;
      press(form().querySelector("button[value=save]"));
    }, 150);
  }

  /* `busy` from the first key until all is kept. */
  function state(name) {
    builder.dataset.state = name;
    const place = form().querySelector("[data-saved]");
    if (place) { place.textContent = { busy: builder.dataset.saving, lost: builder.dataset.lost }[name] || ""; }
  }

  /* Requests: one at a time, as each belongs to the draft that the one before it made. */

  builder.addEventListener("change", function (event) {
    if (!event.target.closest("[data-editor]")) { return; }
    if (event.target.matches("[data-when-field]")) { offerValues(event.target); }
    saveSoon();
  });

  builder.addEventListener("submit", function (event) {
    if (event.target.id !== "builder-form") { return; }
    const value = event.submitter ? event.submitter.value : "save";
    if (isBusy) {
      event.preventDefault();
      event.stopImmediatePropagation();
      // Pressed twice by mistake, or to move further.
      if (value !== doing || /^(step-)?(up|down):/.test(value)) { pending = value; }
      return;
    }
    clearTimeout(timer);
    doing = value;
    isBusy = true;
    sent = typed();
    state("busy");
  }, true);

  /* What is only saved may be overtaken by what is typed meanwhile: that stays, and is saved next. */
  function goOn(answer) {
    const fresh = new DOMParser().parseFromString(answer, "text/html");
    form().querySelector("[data-number-input]").value = fresh.querySelector("[data-number-input]").value;
    const [former, newer] = [form(), fresh].map((each) => each.querySelector("textarea[name=former]"));
    if (former) { former.remove(); }
    if (newer) { form().append(document.adoptNode(newer)); }
    delete form().dataset.sent;
    kept = sent;
    release();
    showPreview();
  }

  function release() {
    isBusy = false;
    isAutomatic = false;
    const next = pending && buttonFor(pending);
    pending = "";
    if (next) {
      setTimeout(function () { press(next); });
    } else if (typed() !== kept && !form().querySelector("#refused")) {
      saveSoon();
    } else {
      state("kept");
    }
  }

  let openBefore = new Set();
  let closedBefore = new Set();

  builder.addEventListener("htmx:beforeSwap", function (event) {
    const answer = event.detail;
    if (answer.target.id !== "builder-form") { return; }
    // What is refused is told in the page too.
    if (answer.xhr.status === 422 || answer.xhr.status === 409) {
      answer.shouldSwap = true;
      answer.isError = false;
    }
    if (isAutomatic && answer.xhr.status === 200 && (pending || typed() !== sent)) {
      answer.shouldSwap = false;
      goOn(answer.xhr.responseText);
      return;
    }
    openBefore = new Set();
    closedBefore = new Set();
    form().querySelectorAll("details[id]").forEach(function (each) {
      (each.open ? openBefore : closedBefore).add(each.id);
    });
  });

  builder.addEventListener("htmx:afterSettle", function (event) {
    const now = form();
    if (event.target !== now) { return; }
    const sameEditor = now.dataset.at === lastPlace;
    now.querySelectorAll("details[id]").forEach(function (each) {
      if (each.id === "add-field" || sameEditor) {
        if (openBefore.has(each.id)) { each.open = true; }
        if (closedBefore.has(each.id)) { each.open = each.hasAttribute("data-always"); }
      }
    });
    kept = typed();
    if (now.dataset.told) { say(now.dataset.told); }
    giveFocus(now, sameEditor);
    lastPlace = now.dataset.at;
    address();
    showLanguages(now.dataset.languages.split(" "));
    showPreview();
    release();
  });

  ["htmx:sendError", "htmx:responseError", "htmx:timeout"].forEach(function (name) {
    builder.addEventListener(name, function () {
      if (!form()) { return; }
      delete form().dataset.sent;
      form().querySelectorAll("[aria-disabled]").forEach((each) => each.removeAttribute("aria-disabled"));
      isBusy = false;
      isAutomatic = false;
      pending = "";
      state("lost");
      say(builder.dataset.lost);
    });
  });

  let lastPlace = form().dataset.at;

  function say(words) {
    told.textContent = "";
    // A region that is given the same words twice says them once.
    setTimeout(function () { told.textContent = words; }, 50);
  }

  function giveFocus(now, sameEditor) {
    const refused = now.querySelector("#refused");
    const wrong = now.querySelector("[aria-invalid]");
    const wanted = document.getElementById(now.dataset.focus);
    if (wrong || refused) {
      let around = (wrong || refused).closest("details");
      if (around) { around.open = true; }
      (wrong || refused).focus();
    } else if (wanted && !isAutomatic) {
      wanted.focus();
      wanted.scrollIntoView({ block: "nearest" });
    } else if (!sameEditor) {
      // On a phone what was opened lies further down.
      const editor = now.querySelector("[data-editor]");
      if (editor.getBoundingClientRect().top > innerHeight * 0.7) { editor.scrollIntoView(); }
    }
  }

  /* So that loading the page again shows the same part. */
  function address() {
    const here = new URL(location.href);
    here.searchParams.set("at", form().dataset.at);
    history.replaceState(null, "", here);
  }

  /* Moving */

  builder.addEventListener("keydown", function (event) {
    const row = event.target.closest("[data-row]");
    const which = { ArrowUp: "[data-up]", ArrowDown: "[data-down]" }[event.key];
    if (!row || !which || !event.altKey) { return; }
    event.preventDefault();
    const button = row.querySelector(which);
    if (button && !button.disabled) { press(button); }
  });

  let dragged = null;

  builder.addEventListener("dragstart", function (event) {
    dragged = event.target.closest && event.target.closest("[data-key]");
    if (!dragged) { return; }
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.key);
    dragged.classList.add("is-dragged");
  });

  builder.addEventListener("dragover", function (event) {
    const place = dragged && placeOf(event);
    clearMarks();
    if (!place) { return; }
    event.preventDefault();
    if (place.before) { place.before.classList.add("drop-before"); } else { place.list.classList.add("drop-last"); }
  });

  builder.addEventListener("drop", function (event) {
    const place = dragged && placeOf(event);
    if (!place) { return; }
    event.preventDefault();
    const rows = [...place.list.querySelectorAll("[data-key]")].filter((row) => row !== dragged);
    const position = place.before ? rows.indexOf(place.before) : rows.length;
    const fields = form().elements;
    fields["place-key"].value = dragged.dataset.key;
    fields["place-step"].value = place.list.closest("[data-step]").dataset.step;
    fields["place-position"].value = String(position);
    const button = document.createElement("button");
    button.type = "submit";
    button.name = "do";
    button.value = "place";
    button.hidden = true;
    form().append(button);
    press(button);
  });

  builder.addEventListener("dragend", function () {
    if (dragged) { dragged.classList.remove("is-dragged"); }
    dragged = null;
    clearMarks();
  });

  /* The list that it would be dropped into, and the row that it would stand before. */
  function placeOf(event) {
    const step = event.target.closest && event.target.closest("[data-step]");
    if (!step) { return null; }
    const list = step.querySelector("[data-fields]");
    const rows = [...list.querySelectorAll("[data-key]")].filter((row) => row !== dragged);
    const before = rows.find(function (row) {
      const box = row.getBoundingClientRect();
      return event.clientY < box.top + box.height / 2;
    });
    return { list, before };
  }

  function clearMarks() {
    builder.querySelectorAll(".drop-before, .drop-last").forEach(function (each) {
      each.classList.remove("drop-before", "drop-last");
    });
  }

  /* Conditions: the field that is chosen says what it can be compared with. */
  function offerValues(select) {
    const row = select.closest("[data-when]");
    const before = row.querySelector("[data-when-value]");
    const chosen = select.selectedOptions[0];
    const options = JSON.parse((chosen && chosen.dataset.options) || "[]");
    const now = document.createElement(options.length ? "select" : "input");
    now.className = options.length ? "form-select" : "form-control";
    now.name = before.name;
    now.id = before.id;
    now.setAttribute("aria-label", before.getAttribute("aria-label"));
    now.setAttribute("data-when-value", "");
    options.forEach(function (option) { now.add(new Option(option[1], option[0])); });
    before.replaceWith(now);
    if (!options.length && select.value) {
      // There is nothing to save before a value is typed.
      now.focus();
    }
  }

  /* Preview */

  const stage = builder.querySelector("[data-stage]");
  const frame = builder.querySelector("[data-frame]");
  const languages = builder.querySelector("[data-preview-languages]");
  let shownNumber = "";

  function showPreview(always) {
    const number = form().querySelector("[data-number-input]").value;
    const language = languages.querySelector("[aria-current]").dataset.language;
    const mark = `${number}/${language}`;
    if (!always && mark === shownNumber) { return; }
    shownNumber = mark;
    const wanted = new URL(frame.dataset.address, location.href);
    wanted.searchParams.set("language", language);
    const at = form().dataset.at;
    if (at.includes("/")) { wanted.searchParams.set("at", at); }
    // In place of what is shown: going back is going back from the builder.
    try { frame.contentWindow.location.replace(wanted.href); } catch (problem) { frame.src = wanted.href; }
  }

  function choose(button) {
    button.parentElement.querySelectorAll("[aria-current]").forEach((each) => each.removeAttribute("aria-current"));
    button.setAttribute("aria-current", "true");
  }

  function showLanguages(codes) {
    const present = [...languages.querySelectorAll("[data-language]")].map((each) => each.dataset.language);
    if (present.join() === codes.join()) { return; }
    const current = languages.querySelector("[aria-current]").dataset.language;
    const names = new Intl.DisplayNames([document.documentElement.lang], { type: "language" });
    const pattern = languages.querySelector("[data-language]");
    languages.replaceChildren(...codes.map(function (code) {
      const link = pattern.cloneNode(false);
      const name = document.createElement("span");
      name.className = "visually-hidden";
      name.textContent = ` ${names.of(code)}`;
      link.append(code.toUpperCase(), name);
      link.dataset.language = code;
      link.title = names.of(code);
      link.removeAttribute("aria-current");
      return link;
    }));
    const wanted = languages.querySelector(`[data-language="${CSS.escape(current)}"]`);
    choose(wanted || languages.firstElementChild);
  }

  builder.addEventListener("click", function (event) {
    const width = event.target.closest("[data-width]");
    const language = event.target.closest("[data-language]");
    if (!width && !language) { return; }
    event.preventDefault();
    choose(width || language);
    if (width) {
      stage.className = `preview-stage is-${width.dataset.width}`;
      form().elements.width.value = width.dataset.width;
      fit();
    } else {
      form().elements.preview.value = language.dataset.language;
      showPreview();
    }
  });

  /* A desktop's width is shown smaller, as it wouldn't fit beside. */
  function fit() {
    const isDesktop = stage.classList.contains("is-desktop");
    const width = isDesktop ? DESKTOP_PX : Math.min(PHONE_PX, stage.clientWidth);
    const scale = Math.min(1, stage.clientWidth / width);
    stage.style.setProperty("--width", `${width}px`);
    stage.style.setProperty("--scale", String(scale));
  }

  new ResizeObserver(fit).observe(stage);
  fit();
  shownNumber = `${form().querySelector("[data-number-input]").value}/${languages.querySelector("[aria-current]").dataset.language}`;

  /* Leaving with something typed that isn't kept yet. */
  addEventListener("beforeunload", function (event) {
    if (form() && typed() !== kept && !isBusy) { event.preventDefault(); }
  });
})();
