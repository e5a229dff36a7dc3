/* What a visitor has answered so far, kept in the tab, with the key that makes sending twice one
 * lead. Files and the form's own hidden inputs are never kept. */
(() => {
  "use strict";
  if (window.LmtDraft) return;
  const LASTS_MS = 24 * 3600 * 1000;
  // By name, how to say whether its page is there.
  const claimed = new Map();

  function newKey() {
    if (crypto.randomUUID) return crypto.randomUUID();
    // A page without TLS has no randomUUID.
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
      byte.toString(16).padStart(2, "0")
    ).join("");
  }

  function read(name) {
    try {
      const kept = JSON.parse(sessionStorage.getItem(name));
      return kept && Date.now() - kept.at < LASTS_MS ? kept : {};
    } catch {
      return {};
    }
  }

  function write(name, kept) {
    try {
      sessionStorage.setItem(name, JSON.stringify({ ...kept, at: Date.now() }));
    } catch {
      // A page without storage, or a full one: the answers stay in the form itself.
    }
  }

  /* Enough to know the same answers again, and nothing that could be read. */
  function fingerprint(answers) {
    let high = 0x811c9dc5;
    let low = 0x1b873593;
    for (const letter of JSON.stringify(answers)) {
      const code = letter.codePointAt(0);
      high = Math.imul(high ^ code, 0x01000193);
      low = Math.imul(low ^ code, 0x85ebca6b);
    }
    return `${high >>> 0}-${low >>> 0}`;
  }

  addEventListener("pagehide", () => claimed.forEach((mark) => mark(false)));
  addEventListener("pageshow", (event) => {
    if (event.persisted) claimed.forEach((mark) => mark(true));
  });

  /* The draft of a form; a second element of the same form on the page has its own. */
  window.LmtDraft = (code) => {
    let number = 1;
    const named = () => `lmt:${code}` + (number > 1 ? `:${number}` : "");
    while (claimed.has(named())) number += 1;
    const name = named();
    let kept = read(name);
    if (!kept.key) kept = { key: newKey(), sent: kept.sent };
    // Its page is there still, so this one is a copy of that tab: another tab, another request.
    if (kept.open) kept.key = newKey();
    const mark = (isOpen) => {
      kept.open = isOpen;
      if (kept.values) write(name, kept);
    };
    const claim = () => {
      claimed.set(name, mark);
      mark(true);
    };
    claim();
    return {
      kept,
      claim,
      /* A form that left the page, as those of one-page applications do, frees its draft. */
      release() {
        claimed.delete(name);
        mark(false);
      },
      /* `part` of {version, values, prefilled, step}. */
      keep(part) {
        Object.assign(kept, part);
        write(name, kept);
      },
      /* The same answers once more are the same lead, also after going back. */
      keyFor(answers) {
        const sent = kept.sent;
        return sent && sent.mark === fingerprint(answers) ? sent.key : kept.key;
      },
      forget(answers) {
        const sent = { mark: fingerprint(answers), key: this.keyFor(answers) };
        for (const part of Object.keys(kept)) delete kept[part];
        Object.assign(kept, { key: newKey(), sent, open: true });
        // Its key isn't needed before there are answers again.
        write(name, { sent });
      },
    };
  };
})();
