/* How a visitor came: campaign and click ids of the address, where they landed, who sent them.
 *
 * Kept from page to page (first-party localStorage, 90 days) only after the host's say-so:
 * `data-remember` on the script tag, or `lmtVisit.allow()` once its visitor has agreed. Without it
 * nothing is stored, and a form knows what its own page knows. Of addresses the query is left out:
 * it may name a person. */
(() => {
  "use strict";
  const KEY = "lmt:visit";
  const LASTS_MS = 90 * 24 * 3600 * 1000;
  const LONGEST = 500;
  const CAMPAIGN = [
    "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content",
    "gclid", "fbclid", "msclkid", "gbraid", "wbraid", "ttclid",
  ];
  const script = document.currentScript;
  const saidSo = Boolean(script && "remember" in script.dataset);
  if (window.lmtVisit) {
    if (saidSo) window.lmtVisit.allow();
    return;
  }

  function plain(address) {
    try {
      const url = new URL(address);
      return (url.origin + url.pathname).slice(0, LONGEST);
    } catch {
      return "";
    }
  }

  function cameFrom() {
    const address = plain(document.referrer);
    return address && new URL(address).origin !== location.origin ? address : "";
  }

  function campaign() {
    const query = new URLSearchParams(location.search);
    const found = {};
    for (const name of CAMPAIGN) {
      const value = query.get(name);
      if (value) found[name] = value.slice(0, LONGEST);
    }
    return found;
  }

  function remembered() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEY));
      return kept && Date.now() - kept.at < LASTS_MS ? kept : null;
    } catch {
      return null;
    }
  }

  // Taken at once: a page that is one application changes its address later.
  const landed = {
    at: Date.now(),
    landing_page: plain(location.href),
    referrer: cameFrom(),
    campaign: campaign(),
  };

  /* The first landing and sender stay; of campaigns the latest one counts, whole. */
  function visit() {
    const kept = remembered() || landed;
    const newer = [campaign(), landed.campaign].find((each) => Object.keys(each).length);
    return {
      at: kept.at,
      landing_page: kept.landing_page,
      referrer: kept.referrer || landed.referrer,
      campaign: newer || kept.campaign,
    };
  }

  window.lmtVisit = {
    names: [...CAMPAIGN, "referrer", "landing_page"],
    allow() {
      try {
        localStorage.setItem(KEY, JSON.stringify(visit()));
      } catch {
        // No storage, or none left: the form still knows its own page.
      }
    },
    forget() {
      try {
        localStorage.removeItem(KEY);
      } catch {
        // Where nothing can be stored nothing was.
      }
    },
    /* By the names of the lead's inputs; what is not known is left out. */
    values() {
      const known = visit();
      const found = { ...known.campaign };
      if (known.landing_page) found.landing_page = known.landing_page;
      if (known.referrer) found.referrer = known.referrer;
      return found;
    },
  };
  if (saidSo) window.lmtVisit.allow();
})();
