/* A form on a brand's page: the element <lmt-form form="code">, in a shadow tree of its own.
 *
 * The script of a form is rules.js, visit.js, draft.js, sending.js, answers.js, address.js (where
 * one is asked for), problems.js, form.js, this file, and then `LmtEmbed.show(DATA);`. DATA is
 * {code, version, lang, languages, dir, html, css, facts, base, token, messages, origins, picker}:
 * `base` is our own address, `origins` are those of pages that may show the form, `messages` what
 * the script says by itself, `picker` the address of picker.js, where a dealer is asked for. On our own page, hosted or framed, the form stands there already, and is
 * taken over.
 *
 * Nothing that fails in here reaches the page around it. */
(() => {
  "use strict";
  if (window.LmtEmbed) return;
  const forms = new Map();
  const elements = new Set();
  const sheets = new Map();
  let warned = false;

  function safely(action) {
    const tell = (problem) => {
      if (!warned) console.warn("LMT form:", problem);
      warned = true;
    };
    try {
      const result = action();
      if (result && result.catch) result.catch(tell);
    } catch (problem) {
      tell(problem);
    }
  }

  const language = (tag) => tag.toLowerCase().split(/[-_]/)[0];

  /* The language of the element: its own, else that of what it stands in. */
  function languageAround(element) {
    for (let at = element; at; at = at.parentNode || at.host) {
      const tag = at.getAttribute && at.getAttribute("lang");
      if (tag) return language(tag);
    }
    return "";
  }

  async function inLanguage(data, wanted) {
    const spoken = !data.languages || data.languages.includes(wanted);
    if (!wanted || wanted === data.lang || !spoken) return data;
    const query = new URLSearchParams({ lang: wanted, version: data.version });
    try {
      const answer = await fetch(`${data.base}/embed/${data.code}.json?${query}`, {
        credentials: "omit",
      });
      return answer.ok ? { ...data, ...(await answer.json()), at: performance.now() } : data;
    } catch {
      return data;
    }
  }

  const isOurs = (data) => new URL(data.base, location.href).origin === location.origin;

  function mayShow(data) {
    return isOurs(data) || !data.origins || data.origins.includes(location.origin);
  }

  /* Styles that a Content-Security-Policy can't refuse; a plain element in older browsers. */
  function dress(root, text) {
    if (!("adoptedStyleSheets" in root)) {
      const style = document.createElement("style");
      style.textContent = text;
      root.append(style);
      return;
    }
    if (!sheets.has(text)) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(text);
      sheets.set(text, sheet);
    }
    const others = root.adoptedStyleSheets.filter((each) => each !== sheets.get(text));
    root.adoptedStyleSheets = [...others, sheets.get(text)];
  }

  function fromAddress() {
    const found = {};
    for (const [name, value] of new URLSearchParams(location.search)) {
      if (name.startsWith("lmt_")) found[name.slice(4)] = value;
    }
    return found;
  }

  function fromAttribute(element) {
    const text = element.getAttribute("prefill");
    return text ? JSON.parse(text) : {};
  }

  class LmtFormElement extends HTMLElement {
    static get observedAttributes() {
      return ["form", "lang"];
    }

    connectedCallback() {
      elements.add(this);
      if (this.handle) this.handle.draft.claim();
      safely(() => this.show());
    }

    disconnectedCallback() {
      elements.delete(this);
      if (this.handle) this.handle.draft.release();
    }

    attributeChangedCallback() {
      if (this.isConnected) safely(() => this.show());
    }

    /* Fill in answers by the keys of the form's fields, now or as soon as it shows. */
    prefill(values) {
      safely(() => {
        this.given = { ...this.given, ...values };
        if (this.handle) this.handle.prefill(values);
      });
    }

    async show() {
      const data = forms.get(this.getAttribute("form"));
      if (!data || this.isSettled(data)) return;
      const wanted = languageAround(this);
      const which = `${data.code} ${wanted}`;
      if (this.shown === which) return;
      this.shown = which;
      const spoken = await inLanguage(data, wanted);
      if (this.shown !== which) return;
      // Sent meanwhile: where more is to be done, it is called once more.
      if (this.isSettled(data)) this.shown = "";
      else this.fill(spoken);
    }

    /* What is on its way, or has arrived, isn't shown anew. */
    isSettled(data) {
      return Boolean(this.handle && this.handle.code === data.code && this.handle.isSettled());
    }

    fill(data) {
      if (this.hasAttribute("remember")) window.lmtVisit.allow();
      const root = this.shadowRoot || this.attachShadow({ mode: "open" });
      const before = this.handle && this.handle.code === data.code ? this.handle : null;
      if (before) before.keep();
      else if (this.handle) this.handle.draft.release();
      const files = before ? [...root.querySelectorAll("input[type=file]")] : [];
      const box = document.createElement("div");
      root.replaceChildren(box);
      dress(root, data.css);
      window.LmtForm.put(box, data.html);
      let attributes = {};
      safely(() => (attributes = fromAttribute(this)));
      this.handle = window.LmtForm.enhance(box, data, {
        host: this,
        draft: before && before.draft,
        prefill: { ...attributes, ...fromAddress(), ...this.given },
        settled: () => safely(() => this.show()),
      });
      for (const { name, files: chosen } of files) {
        const control = box.querySelector(`input[type=file][name="${name}"]`);
        if (control) control.files = chosen;
      }
    }
  }

  /* Where a page has the script and no element, the form stands where the script does. */
  function placeAfter(script, code) {
    const there = [...elements].some((element) => element.getAttribute("form") === code);
    if (there || !script || !document.body.contains(script)) return;
    const element = document.createElement("lmt-form");
    element.setAttribute("form", code);
    script.after(element);
  }

  /* Our own page: its form stands there already, filled in by the server. */
  function takeOver(form, data) {
    const root = form.closest(".lmt-form").parentElement;
    const handle = window.LmtForm.enhance(root, data, {
      host: root,
      prefill: window.LmtAnswers.all(form),
      typed: window.LmtAnswers.changed(form),
      came: {},
      seen: true,
    });
    if (window.parent !== window) tellHeight(data, handle);
  }

  function originOf(address) {
    try {
      return new URL(address).origin;
    } catch {
      return "*";
    }
  }

  /* The frame around us grows with us; it may tell how its visitor came. */
  function tellHeight(data, handle) {
    const around = originOf(document.referrer);
    const tell = () => {
      const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
      window.parent.postMessage({ lmt: data.code, height }, around);
    };
    new ResizeObserver(tell).observe(document.documentElement);
    addEventListener("message", (event) =>
      safely(() => {
        if (event.source !== window.parent || (around !== "*" && event.origin !== around)) return;
        const said = Object(event.data);
        if (said.lmt === "height") tell();
        if (said.lmt === data.code && said.visit) handle.came(said.visit);
      })
    );
    tell();
  }

  function show(data) {
    const script = document.currentScript;
    safely(() => {
      if (!mayShow(data)) {
        console.warn(`LMT form: ${location.origin} is not among the origins of ${data.code}.`);
        return;
      }
      if (forms.has(data.code)) return;
      forms.set(data.code, { ...data, at: performance.now() });
      for (const element of elements) safely(() => element.show());
      whenRead(() => {
        const form = isOurs(data) && document.querySelector("form[data-lmt-form]");
        if (form) takeOver(form, forms.get(data.code));
        else placeAfter(script, data.code);
      });
    });
  }

  function whenRead(action) {
    if (document.readyState !== "loading") safely(action);
    else document.addEventListener("DOMContentLoaded", () => safely(action), { once: true });
  }

  window.LmtEmbed = { dress, show };
  safely(() => {
    if (!customElements.get("lmt-form")) customElements.define("lmt-form", LmtFormElement);
  });
})();
