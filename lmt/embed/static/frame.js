/* On a brand's page: the frames of our forms, <iframe data-lmt-form src="…/embed/code">, become as
 * high as what is in them, and learn how their visitor came. Only a frame's own window, at the
 * origin of its address, is listened to. */
(() => {
  "use strict";
  if (window.lmtFrames) return;
  window.lmtFrames = true;
  const HIGHEST_PX = 20000;
  const CAMPAIGN =
    /^(utm_(source|medium|campaign|term|content)|gclid|fbclid|msclkid|gbraid|wbraid|ttclid)$/;

  function visit() {
    if (window.lmtVisit) return window.lmtVisit.values();
    const found = { landing_page: location.origin + location.pathname };
    for (const [name, value] of new URLSearchParams(location.search)) {
      if (CAMPAIGN.test(name)) found[name] = value;
    }
    if (document.referrer) {
      const { origin, pathname } = new URL(document.referrer);
      if (origin !== location.origin) found.referrer = origin + pathname;
    }
    return found;
  }

  /* A frame that was there before this script has told its height to nobody. */
  function askAll() {
    for (const frame of document.querySelectorAll("iframe[data-lmt-form]")) {
      if (frame.contentWindow) frame.contentWindow.postMessage({ lmt: "height" }, "*");
    }
  }

  addEventListener("message", (event) => {
    try {
      const { lmt, height } = Object(event.data);
      if (typeof lmt !== "string" || !(height > 0 && height < HIGHEST_PX)) return;
      for (const frame of document.querySelectorAll("iframe[data-lmt-form]")) {
        if (frame.contentWindow !== event.source) continue;
        if (new URL(frame.src).origin !== event.origin) continue;
        frame.style.setProperty("height", `${height}px`, "important");
        if (!frame.dataset.lmtTold) {
          frame.dataset.lmtTold = "yes";
          event.source.postMessage({ lmt, visit: visit() }, event.origin);
        }
      }
    } catch (problem) {
      console.warn("LMT form:", problem);
    }
  });
  askAll();
})();
