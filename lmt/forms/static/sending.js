/* Sends a form until it was answered: a lost connection, or a server that is busy, is tried again
 * with growing pauses, when the connection is back, and when the visitor asks for it. Then thanks
 * stand in the form's place, and the dealer's name follows when it is known. */
(() => {
  "use strict";
  if (window.LmtSending) return;
  const FIRST_PAUSE_MS = 2000;
  const LONGEST_PAUSE_MS = 60000;
  const PATIENCE_MS = 45000;
  const ASK_AGAIN_AFTER_MS = [2000, 3000, 4000, 5000, 6000];

  /* What the server said, or null where asking again may help. */
  async function attempt(address, body) {
    const ending = new AbortController();
    const timer = setTimeout(() => ending.abort(), PATIENCE_MS);
    try {
      const answer = await fetch(address, {
        method: "POST",
        body,
        credentials: "same-origin",
        headers: { Accept: "application/json" },
        signal: ending.signal,
      });
      const { ok, status } = answer;
      if ([408, 425, 429].includes(status) || status >= 500) return null;
      // Thanks that broke off half-way were none: asked again, the same ones come.
      const said = await answer.json().catch(() => (ok ? null : {}));
      return said && { ...said, status };
    } catch {
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  function untilAgain(ms, again) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        removeEventListener("online", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      addEventListener("online", done);
      again(done);
    });
  }

  /* `body()` gives what to send. While waiting, `waiting(tryNow)` shows a way to ask at once;
   * `trying()` says that it is being tried. */
  window.LmtSending = async (address, body, { waiting, trying }) => {
    for (let ms = FIRST_PAUSE_MS; ; ms = Math.min(2 * ms, LONGEST_PAUSE_MS)) {
      trying();
      const said = await attempt(address, body());
      if (said) return said;
      await untilAgain(ms, waiting);
    }
  };

  function focusOnHeading(root) {
    const heading = root.querySelector("h1,h2,h3");
    if (!heading) return;
    heading.tabIndex = -1;
    heading.focus();
  }

  function leaveFor(address) {
    if (!address.startsWith("https://")) return;
    try {
      // Out of a frame, where the page around it lets us.
      window.top.location.href = address;
    } catch {
      location.href = address;
    }
  }

  /* Routing takes a moment; after some 20 seconds the page to follow has to do. */
  async function askForDealer(root, data, token, put) {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
    const query = new URLSearchParams({ lang: data.lang, version: data.version, zone });
    const address = `${data.base}/embed/${data.code}/sent/${encodeURIComponent(token)}?${query}`;
    root.setAttribute("aria-live", "polite");
    for (const ms of ASK_AGAIN_AFTER_MS) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      const answer = await fetch(address, { credentials: "omit" }).catch(() => null);
      if (!answer || !answer.ok) continue;
      const said = await answer.json();
      if (!said.routed) continue;
      const active = root.getRootNode().activeElement;
      const hadFocus = Boolean(active && root.contains(active));
      put(root, said.html);
      if (hadFocus) focusOnHeading(root);
      return;
    }
  }

  /* `said` is the server's answer: html, and where there are any redirect, status_url, routed. */
  window.LmtThanks = (root, data, said, put) => {
    put(root, said.html);
    focusOnHeading(root);
    if (said.redirect) leaveFor(said.redirect);
    else if (said.status_url && !said.routed) {
      const token = said.status_url.split("/").pop();
      askForDealer(root, data, token, put).catch((problem) => console.warn("LMT form:", problem));
    }
  };
})();
