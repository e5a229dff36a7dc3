/* Reads the answers out of a form's controls, and fills them in. */
(() => {
  "use strict";
  if (window.LmtAnswers) return;

  function byName(form) {
    const found = new Map();
    for (const control of form.elements) {
      if (control.name) found.set(control.name, [...(found.get(control.name) || []), control]);
    }
    return found;
  }

  function value(controls) {
    const [first] = controls;
    if (!first) return "";
    if (first.type === "radio" || first.type === "checkbox") {
      const chosen = controls.filter((control) => control.checked);
      return chosen.map((control) => control.value).join("\n");
    }
    if (first.type === "file") return first.files.length ? first.files[0].name : "";
    return first.value;
  }

  /* By the name of the input, as the rules look at them; of a file its name and its size. */
  function all(form) {
    const answers = {};
    for (const [name, controls] of byName(form)) {
      answers[name] = value(controls);
      const [first] = controls;
      if (first.type === "file") {
        answers[`${name}-size`] = first.files.length ? String(first.files[0].size) : "";
      }
    }
    return answers;
  }

  function put(controls, text) {
    const [first] = controls;
    if (first.type === "file") return;
    if (first.type === "radio" || first.type === "checkbox") {
      const chosen = text.split("\n");
      for (const control of controls) control.checked = chosen.includes(control.value);
    } else if (first.tagName === "SELECT") {
      const offered = [...first.options].some((option) => option.value === text);
      if (offered) first.value = text;
    } else {
      first.value = text;
    }
  }

  function fill(form, answers) {
    const controls = byName(form);
    for (const [name, given] of Object.entries(answers)) {
      const text = Array.isArray(given) ? given.join("\n") : String(given ?? "");
      if (controls.has(name)) put(controls.get(name), text);
    }
  }

  function isChanged(control) {
    if (control.type === "radio" || control.type === "checkbox") {
      return control.checked !== control.defaultChecked;
    }
    if (control.tagName === "SELECT") {
      const options = [...control.options];
      const rendered = options.find((option) => option.defaultSelected) || options[0];
      return Boolean(rendered) && control.value !== rendered.value;
    }
    return control.value !== control.defaultValue;
  }

  /* What a visitor has answered since the page was rendered. */
  function changed(form) {
    const found = {};
    for (const [name, controls] of byName(form)) {
      if (controls.some(isChanged)) found[name] = value(controls);
    }
    return found;
  }

  window.LmtAnswers = { all, fill, changed, byName };
})();
