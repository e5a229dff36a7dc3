/* Shows what is wrong with the answers: beside each field, and in a summary that leads there. */
(() => {
  "use strict";
  if (window.LmtProblems) return;

  /* `goTo(name)` brings the step of an input into view. */
  window.LmtProblems = (root, form, data, goTo) => {
    const summary = root.querySelector(".summary");
    let shown = new Map();

    const find = (id) => root.querySelector(`#${CSS.escape(id)}`);

    function controlsOf(name) {
      return [...form.elements].filter((control) => control.name === name);
    }

    function focusOn(name) {
      goTo(name);
      const seen = (control) => control.type !== "hidden" && control.offsetParent !== null;
      const wrapper = wrapperOf(name);
      const around = wrapper ? [...wrapper.querySelectorAll("input,select,textarea,button")] : [];
      const control = controlsOf(name).find(seen) || around.find(seen);
      if (control) control.focus();
    }

    function wrapperOf(name) {
      const field = data.facts.fields.find((each) => each.inputs.includes(name));
      return field && root.querySelector(`[data-field="${CSS.escape(field.key)}"]`);
    }

    /* Controls and groups name their note as their description already. */
    function mark(name, text) {
      const note = find(`${name}-error`);
      if (note) {
        note.textContent = text;
        note.hidden = !text;
        note.closest(".field").classList.toggle("wrong", Boolean(text));
      }
      for (const control of controlsOf(name)) {
        const group = control.type === "radio" && control.closest("[role=radiogroup]");
        const owner = group || control;
        if (text) owner.setAttribute("aria-invalid", "true");
        else owner.removeAttribute("aria-invalid");
      }
    }

    function line(name, text) {
      const link = document.createElement("a");
      link.href = `#${name}`;
      const label = labelOf(name);
      if (label) {
        const which = document.createElement("span");
        which.className = "which";
        which.textContent = label;
        link.append(which, " ");
      }
      link.append(text);
      // A fragment finds nothing inside a shadow tree.
      link.addEventListener("click", (event) => {
        event.preventDefault();
        focusOn(name);
      });
      const item = document.createElement("li");
      item.append(link);
      return item;
    }

    function labelOf(name) {
      const field = data.facts.fields.find((each) => each.inputs.includes(name));
      if (!field || field.type === "consent") return "";
      const legend = wrapperOf(name) && wrapperOf(name).querySelector("legend");
      const label = root.querySelector(`label[for="${CSS.escape(name)}"]`);
      const owner = field.inputs.length > 1 ? label || legend : legend || label;
      if (!owner) return "";
      const copy = owner.cloneNode(true);
      for (const aside of copy.querySelectorAll(".optional")) aside.remove();
      return copy.textContent.trim();
    }

    function fillSummary() {
      if (!summary) return;
      summary.hidden = shown.size === 0;
      summary
        .querySelector("ul")
        .replaceChildren(...[...shown].map(([name, text]) => line(name, text)));
    }

    return {
      focusOn,
      /* All problems, by name of the input in the form's order; the focus goes to the summary. */
      show(problems) {
        for (const name of shown.keys()) if (!problems.has(name)) mark(name, "");
        for (const [name, text] of problems) mark(name, text);
        shown = new Map(problems);
        fillSummary();
        if (shown.size && summary) summary.focus();
      },
      /* One input that was wrong, once it was left again. */
      update(name, text) {
        mark(name, text);
        if (text) shown.set(name, text);
        else shown.delete(name);
        fillSummary();
      },
      names: () => [...shown.keys()],
    };
  };
})();
