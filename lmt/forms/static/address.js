/* An address asks what its country has: its parts in their order, names, and areas to choose from. */
(() => {
  "use strict";
  if (window.LmtAddress) return;

  function option(value, label) {
    const made = document.createElement("option");
    made.value = value;
    made.textContent = label;
    return made;
  }

  /* The control that a part needs in this country: a list of areas, or a line to write on. */
  function fitting(control, part, words) {
    const tag = part.areas ? "SELECT" : "INPUT";
    let made = control;
    if (control.tagName !== tag) {
      made = document.createElement(tag);
      for (const { name, value } of control.attributes) {
        if (!["type", "value", "maxlength", "dir"].includes(name)) made.setAttribute(name, value);
      }
      if (!part.areas) Object.assign(made, { type: "text", maxLength: 200, dir: "auto" });
      control.replaceWith(made);
    }
    if (part.areas) {
      const areas = part.areas.map(([value, label]) => option(value, label));
      made.replaceChildren(option("", words.choose), ...areas);
    }
    return made;
  }

  function markOptional(label, isOptional, words) {
    const aside = label.querySelector(".optional");
    if (aside && !isOptional) aside.remove();
    if (!aside && isOptional) {
      const made = document.createElement("span");
      made.className = "optional";
      made.textContent = words.optional;
      label.append(" ", made);
    }
  }

  function name(label, text) {
    if (!text) return;
    const aside = label.querySelector(".optional");
    label.replaceChildren(text, ...(aside ? [" ", aside] : []));
  }

  function adapt(box, part, isNeeded, words) {
    box.parentNode.append(box);
    const control = fitting(box.querySelector("input,select"), part, words);
    if (isNeeded) control.setAttribute("aria-required", "true");
    else control.removeAttribute("aria-required");
    const label = box.querySelector("label");
    name(label, part.label);
    markOptional(label, !isNeeded, words);
  }

  /* Bring the parts of `field` in line with the country chosen; `show(wrapper, isShown)`. */
  window.LmtAddress = (root, field, country, words, show) => {
    const wrapper = root.querySelector(`[data-field="${CSS.escape(field.key)}"]`);
    const parts = field.parts[country];
    if (!wrapper || !parts || wrapper.dataset.country === country) return;
    // The page was rendered for the first one.
    const isRendered = !wrapper.dataset.country;
    wrapper.dataset.country = country;
    for (const box of wrapper.querySelectorAll("[data-part]")) {
      const which = box.dataset.part;
      if (which !== "country") show(box, parts.some((part) => part.part === which));
    }
    if (isRendered) return;
    for (const part of parts) {
      const box = wrapper.querySelector(`[data-part="${part.part}"]`);
      if (box) adapt(box, part, Boolean(field.required && part.required), words);
    }
  };
})();
