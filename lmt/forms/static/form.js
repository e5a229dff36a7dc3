/* Brings a form to life that stands in the page already: what isn't asked is out of the way, one
 * step at a time, mistakes are told where they are, answers survive, and sending ends well. */
(() => {
  "use strict";
  if (window.LmtForm) return;
  const SHORTEST_MS = 2000;
  const UNSEEN = new Set(["section", "hidden"]);
  const WITH_OPTIONS = new Set(["choice", "choices", "time_window", "country", "model"]);
  const TYPED = new Set(["text", "email", "tel", "textarea"]);
  const NEVER_PREFILLED = new Set(["consent", "file", "section"]);
  // What belongs to the words or the settings of one version, and to no other.
  const OF_A_VERSION = new Set(["consent", "hidden"]);

  let policy = null;
  try {
    if (window.trustedTypes) {
      policy = window.trustedTypes.createPolicy("lmt-form", {
        createHTML: (html) => html,
        createScriptURL: (address) => address,
      });
    }
  } catch {
    // Refused by the page: it works all the same unless the page asks for trusted types.
  }

  /* Our server's HTML, of which every answer and every text was escaped there. */
  function put(element, html) {
    element.innerHTML = policy ? policy.createHTML(html) : html;
  }

  /* Nobody picks a dealer without the network: that program is fetched once the form is seen. */
  function withPicker(address, action) {
    if (window.LmtPicker) {
      action();
      return;
    }
    const script = document.createElement("script");
    script.src = policy ? policy.createScriptURL(address) : address;
    script.addEventListener("load", action);
    document.head.append(script);
  }

  /* What the page has already doesn't travel twice. */
  function complete(form, fields) {
    for (const field of fields) {
      if (!field.inputs) field.inputs = [field.key];
      if (field.options || !WITH_OPTIONS.has(field.type)) continue;
      const wrapper = form.querySelector(`[data-field="${CSS.escape(field.key)}"]`);
      const offered = [...wrapper.querySelectorAll("option,input")];
      field.options = offered.map((each) => each.value).filter(Boolean);
    }
  }

  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  /* `data` as embed.js has it. `options`: `host` (what events are heard on), `prefill`, `typed`
   * (answers by name), `came` (how the visitor came, where the page knows better), `draft`, `seen`
   * (it was counted). */
  function enhance(root, data, options) {
    const { facts, messages } = data;
    const form = root.querySelector("form[data-lmt-form]");
    complete(form, facts.fields);
    const host = options.host || root;
    const draft = options.draft || window.LmtDraft(data.code);
    const sections = [...form.querySelectorAll("section[data-step]")];
    const buttons = {
      next: form.querySelector("[data-next]"),
      back: form.querySelector("[data-back]"),
      send: form.querySelector("[data-send]"),
    };
    const status = form.querySelector("[data-status]");
    const progress = form.querySelector("[data-progress]");
    let step = form.dataset.step;
    let token = data.token;
    let issuedAt = data.at || performance.now();
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
    let sending = false;
    let started = false;
    let isSent = false;
    let picks = false;
    const came = options.came || {};

    const answers = () => window.LmtAnswers.all(form);

    /* The answers alone: tokens and keys beside them are others each time the page is loaded. */
    function said() {
      const all = answers();
      const sizes = facts.fields.filter(({ type }) => type === "file").map(({ key }) => `${key}-size`);
      return [...facts.fields.flatMap((field) => field.inputs), ...sizes].map((name) => [name, all[name]]);
    }

    function tell(name, detail) {
      const known = { form: data.code, ...detail };
      host.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail: known }));
    }

    function count(kind, fields) {
      if (!navigator.sendBeacon || data.preview) return;
      const said = JSON.stringify({ version: data.version, kind, fields });
      // A plain text asks no leave of the other origin first.
      const body = new Blob([said], { type: "text/plain" });
      navigator.sendBeacon(`${data.base}/embed/${data.code}/count`, body);
    }

    // What is shown

    function show(element, isShown) {
      element.hidden = !isShown;
      const all = element.matches("input") ? [element] : element.querySelectorAll("input,select,textarea,button");
      for (const control of all) {
        const isOff = Boolean(control.closest("[data-field][hidden],[data-part][hidden],[data-section][hidden]"));
        if (isOff && !control.disabled) {
          control.disabled = true;
          control.dataset.lmtOff = "";
        } else if (!isOff && "lmtOff" in control.dataset) {
          control.disabled = false;
          delete control.dataset.lmtOff;
        }
      }
    }

    function update() {
      const shown = new Set(window.LmtRules.shown(facts, answers()));
      for (const field of facts.fields) {
        const key = CSS.escape(field.key);
        const element = form.querySelector(`[data-section="${key}"],[data-field="${key}"]`);
        if (!element || element.type === "hidden") continue;
        if (element.hidden === shown.has(field.key)) show(element, shown.has(field.key));
        if (field.parts) showAddress(field);
      }
      showStep();
      return shown;
    }

    function showAddress(field) {
      const select = form.elements[`${field.key}-country`];
      const country = select ? select.value : Object.keys(field.parts)[0];
      window.LmtAddress(form, field, country, messages, show);
    }

    // Steps

    function walked() {
      const shown = new Set(window.LmtRules.shown(facts, answers()));
      const asks = (key) => shown.has(key) && !UNSEEN.has(fieldOf(key).type);
      const found = facts.steps.filter((each) => each.fields.some(asks)).map((each) => each.key);
      return found.length ? found : [facts.steps[0].key];
    }

    const fieldOf = (key) => facts.fields.find((field) => field.key === key);

    function showStep() {
      const steps = walked();
      if (!steps.includes(step)) step = before(step, steps);
      const at = steps.indexOf(step);
      const isLast = at === steps.length - 1;
      for (const section of sections) section.hidden = section.dataset.step !== step;
      if (buttons.next) buttons.next.hidden = isLast;
      if (buttons.back) buttons.back.hidden = at === 0;
      buttons.send.hidden = !isLast;
      if (progress) {
        const said = { "{number}": at + 1, "{total}": steps.length };
        progress.textContent = progress.dataset.words.replace(/\{\w+\}/g, (name) =>
          said[name].toLocaleString(data.lang)
        );
      }
    }

    /* Of a step that is no longer walked, the nearest one before it that is. */
    function before(key, steps) {
      const order = facts.steps.map((each) => each.key);
      const earlier = steps.filter((each) => order.indexOf(each) < order.indexOf(key));
      return earlier.length ? earlier[earlier.length - 1] : steps[0];
    }

    function goTo(key) {
      if (key === step) return;
      step = key;
      showStep();
      keep();
      const steps = walked();
      tell("lmt:step", { step, number: steps.indexOf(step) + 1, total: steps.length });
    }

    function turn(by) {
      const steps = walked();
      const next = steps[steps.indexOf(step) + by];
      if (!next) return;
      goTo(next);
      const section = sections.find((each) => each.dataset.step === step);
      const heading = section.querySelector("h2") || section;
      heading.tabIndex = -1;
      heading.focus();
    }

    function stepOf(name) {
      const field = facts.fields.find((each) => each.inputs.includes(name));
      const found = field && facts.steps.find((each) => each.fields.includes(field.key));
      return found ? found.key : step;
    }

    // What is wrong

    const problems = window.LmtProblems(root, form, data, (name) => goTo(stepOf(name)));

    function wrong(isAsked) {
      const found = Object.entries(window.LmtRules.problems(facts, answers()));
      return new Map(
        found
          .filter(([name]) => isAsked(name))
          .map(([name, why]) => [name, window.LmtRules.words(facts, name, why)])
      );
    }

    /* True where all is well, else the visitor is led to what isn't. */
    function passes(isAsked) {
      // What fills in a form need not say so.
      update();
      const found = wrong(isAsked);
      problems.show(found);
      if (found.size) count("error", [...found.keys()]);
      return found.size === 0;
    }

    function next() {
      if (passes((name) => stepOf(name) === step)) turn(1);
    }

    function recheck(name) {
      if (!problems.names().includes(name)) return;
      problems.update(name, wrong((each) => each === name).get(name) || "");
    }

    // What is kept

    function keep() {
      if (data.preview || isSent) return;
      const kept = {};
      for (const [name, text] of Object.entries(answers())) {
        const field = facts.fields.find((each) => each.inputs.includes(name));
        if (field && field.type !== "file") kept[name] = text;
      }
      draft.keep({ version: data.version, values: kept, step, came: visit() });
    }

    function prefill(values) {
      const allowed = {};
      for (const field of facts.fields) {
        if (field.fixed || NEVER_PREFILLED.has(field.type)) continue;
        for (const name of field.inputs) if (Object.keys(values).includes(name)) allowed[name] = values[name];
      }
      fillIn(allowed);
      return allowed;
    }

    /* Twice: what a country brings is there to be filled in only once it was chosen. */
    function fillIn(values) {
      window.LmtAnswers.fill(form, values);
      update();
      window.LmtAnswers.fill(form, values);
      update();
    }

    function restore() {
      const kept = draft.kept.values;
      const given = prefill(options.prefill || {});
      if (kept) {
        // What the page fills in anew counts more than what it filled in then.
        const old = draft.kept.prefilled || {};
        const isNewer = (name) => Boolean(given[name]) && String(given[name]) !== String(old[name]);
        const isKept = (name) => {
          const field = facts.fields.find((each) => each.inputs.includes(name));
          return field && (!OF_A_VERSION.has(field.type) || draft.kept.version === data.version);
        };
        fillIn(
          Object.fromEntries(
            Object.entries(kept).filter(([name]) => isKept(name) && !isNewer(name))
          )
        );
        if (draft.kept.step && walked().includes(draft.kept.step)) step = draft.kept.step;
      }
      if (options.typed) fillIn(options.typed);
      draft.kept.prefilled = given;
      update();
    }

    // Sending

    function visit() {
      const here = options.came ? {} : window.lmtVisit ? window.lmtVisit.values() : {};
      return { ...draft.kept.came, ...here, ...came };
    }

    function body() {
      const sent = new FormData(form);
      const ours = {
        ...visit(),
        form_token: token,
        idempotency_key: draft.keyFor(said()),
        version: data.version,
        lang: data.lang,
        zone,
      };
      for (const [name, value] of Object.entries(ours)) sent.set(name, value);
      return sent;
    }

    function busy(isBusy) {
      sending = isBusy;
      for (const button of form.querySelectorAll("button:not(.again)")) {
        button.setAttribute("aria-disabled", String(isBusy));
      }
      buttons.send.disabled = isBusy;
      form.setAttribute("aria-busy", String(isBusy));
    }

    function offerAgain(tryNow) {
      say(navigator.onLine ? messages.busy : messages.offline);
      const button = document.createElement("button");
      button.type = "button";
      button.className = "again";
      button.textContent = messages.again;
      button.addEventListener("click", tryNow);
      status.after(button);
    }

    function say(text) {
      const again = form.querySelector(".again");
      const hadFocus = Boolean(again && again.matches(":focus"));
      if (again) again.remove();
      status.textContent = text;
      if (hadFocus) {
        status.tabIndex = -1;
        status.focus();
      }
    }

    async function send() {
      if (sending || !passes(() => true)) return;
      busy(true);
      say(messages.sending);
      keep();
      try {
        await pause(Math.max(0, SHORTEST_MS - (performance.now() - issuedAt)));
        const address = `${data.base}/embed/${data.code}/send`;
        const answer = await window.LmtSending(address, body, {
          waiting: offerAgain,
          trying: () => say(messages.sending),
        });
        answered(answer);
      } finally {
        busy(false);
        if (options.settled) options.settled();
      }
    }

    function answered(answer) {
      say("");
      if (answer.token && answer.token !== token) {
        token = answer.token;
        issuedAt = performance.now();
      }
      if (answer.status === 422 && answer.errors) {
        const found = new Map(Object.entries(answer.errors));
        const [first] = found.keys();
        if (first) goTo(stepOf(first));
        problems.show(found);
      } else if (answer.status === 409) {
        say(answer.notice || messages.busy);
        buttons.send.disabled = false;
        buttons.send.focus();
      } else if (answer.html) {
        thank(answer);
      } else {
        say(answer.status === 413 ? messages.too_large : messages.refused);
      }
    }

    function failed(problem) {
      console.warn("LMT form:", problem);
      if (!isSent) say(messages.refused);
    }

    function thank(answer) {
      isSent = true;
      draft.forget(said());
      window.LmtThanks(root, data, answer, put);
      tell("lmt:sent", { reference: answer.reference || "" });
    }

    /* A button that was pressed before there was anything behind it does what it says then. */
    function pick(pressed) {
      withPicker(data.picker, () => {
        if (!picks) window.LmtPicker.enhance(root, data);
        picks = true;
        if (pressed) pressed.click();
      });
    }

    // Begin

    for (const button of [buttons.next, buttons.back]) if (button) button.type = "button";
    if (buttons.next) buttons.next.addEventListener("click", next);
    if (buttons.back) buttons.back.addEventListener("click", () => turn(-1));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const pressed = event.submitter;
      if (data.picker && pressed && pressed.name === "find") pick(pressed);
      else if (buttons.send.hidden) next();
      else send().catch(failed);
    });
    form.addEventListener("input", () => {
      if (!started) count("started");
      started = true;
      update();
      keep();
    });
    // Told only where it was wrong before, and only when the visitor is done with it. While a
    // pointer is down nothing may move: the button under it would slip away before the click.
    let pressing = false;
    let left = [];
    form.addEventListener("pointerdown", () => (pressing = true));
    for (const name of ["pointerup", "pointercancel"]) {
      form.ownerDocument.addEventListener(name, () => {
        pressing = false;
        const names = left;
        left = [];
        if (names.length) setTimeout(() => names.forEach(recheck));
      });
    }
    form.addEventListener("focusout", (event) => {
      if (!event.target.name) return;
      if (pressing) left.push(event.target.name);
      else recheck(event.target.name);
    });
    form.addEventListener("change", (event) => {
      if (event.target.name && !TYPED.has(event.target.type)) recheck(event.target.name);
    });
    restore();
    if (data.picker) requestAnimationFrame(() => setTimeout(pick));
    if (!options.seen) count("seen");
    tell("lmt:ready", {});
    return {
      code: data.code,
      draft,
      isSettled: () => sending || isSent,
      prefill: (values) => void prefill(values),
      came(values) {
        for (const name of window.lmtVisit.names) {
          if (typeof values[name] === "string") came[name] = values[name];
        }
      },
      keep,
    };
  }

  window.LmtForm = { enhance, put };
})();
