// Keeps a page fresh: after an event the page itself is fetched anew, and its regions are exchanged.
// A page without data-events on its body is left alone, but for its times.
"use strict";
(() => {
  const body = document.body;
  const box = document.getElementById("live");
  const SOONEST = 250; // ms between two fetches
  const POLL = 10000; // where no stream is to be had
  const CALM = 4000; // a page without any event is fetched this often: health changes without events, and a stream may be dead without a word
  const PATIENCE = 7000; // a page that takes longer is lost
  const FULL = 60000; // where no stream was to be had, one is tried again after this
  const HIDDEN = 60000; // a page that nobody sees gives its connection back after this
  const KINDS = ["verdict", "started", "weight", "changed", "fail", "pass", "inconclusive", "recovered", "override", "override-ended",
    "source-down", "promotion-without-evidence", "vanished", "delivered", "dead-letter", "gap"];

  // ---- times -----------------------------------------------------------------------------------------------------
  let offset = 0; // the service's clock minus ours
  const setClock = (html) => {
    const now = Number(html.dataset.now);
    if (now) offset = now - Date.now();
  };
  const { zone, day, clock, span } = window.words;
  const localise = (root) => {
    const now = Date.now() + offset;
    const today = day(new Date());
    for (const time of root.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      const own = `${day(at)} ${clock(at)}`;
      const utc = time.dataset.utc ??= time.title || `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
      const past = now - at.getTime();
      let text;
      if (time.dataset.form === "since") text = span(past);
      else if (time.dataset.form === "ago") text = past >= 0 ? `${span(past)} ago` : `in ${span(-past)}`;
      else text = day(at) === today ? clock(at) : own;
      if (time.textContent !== text) time.textContent = text;
      const title = `${utc} · ${own} ${zone}`;
      if (time.title !== title) time.title = title;
    }
  };
  setClock(document.documentElement);
  const regions = (root) => new Map([...root.querySelectorAll("[data-live]")].map((r) => [r.dataset.live, r]));
  // as the server wrote them: times are about to be rewritten
  const written = new Map([...regions(document)].map(([key, region]) => [key, region.outerHTML]));
  localise(document);
  setInterval(() => { if (!document.hidden) localise(document); }, 1000);

  if (!body.dataset.events || !box) return;

  // ---- what the viewer is told ------------------------------------------------------------------------------------
  let fresh = Date.now();
  const tell = (state, text) => {
    box.hidden = false;
    box.dataset.state = state;
    const place = box.querySelector(".live-text");
    if (place.textContent !== text) place.textContent = text;
    body.classList.toggle("stale", state === "lost");
  };
  // what somebody is typing is worth more than the sign-in: the form, once sent, leads there and comes back filled in
  const signedOut = () => {
    const typed = [...document.querySelectorAll("form.form input:not([type=hidden]), form.form textarea")]
      .some((f) => (f.type === "radio" || f.type === "checkbox" ? f.checked !== f.defaultChecked : f.value !== ""));
    if (!typed) { location.reload(); return; }
    close();
    leaving = true;
    tell("lost", "signed out: send the form to sign in, what you typed is kept");
  };
  const lost = (why) => tell("lost", `${why}, retrying — data as of ${clock(new Date(fresh))}`);

  // ---- exchange of regions ----------------------------------------------------------------------------------------
  const typing = (region) => {
    const active = document.activeElement;
    return active && region.contains(active) && active.matches("input, textarea, select, [contenteditable]");
  };
  const sameAs = (element) => {
    if (element.id) return `#${CSS.escape(element.id)}`;
    for (const name of ["data-key", "href", "name", "aria-label"]) {
      const value = element.getAttribute(name);
      if (value) return `${element.localName}[${name}="${CSS.escape(value)}"]`;
    }
    return null;
  };
  const exchange = (old, next) => {
    const active = old.contains(document.activeElement) ? sameAs(document.activeElement) : null;
    const scrolled = [...old.querySelectorAll(".scroll")].map((s) => [s.scrollLeft, s.scrollTop]);
    const open = [...old.querySelectorAll("details[open] > summary")].map((s) => s.textContent);
    const node = document.importNode(next, true);
    for (const summary of node.querySelectorAll("details > summary")) {
      if (open.includes(summary.textContent)) summary.parentElement.open = true;
    }
    localise(node);
    old.replaceWith(node);
    [...node.querySelectorAll(".scroll")].forEach((s, i) => { if (scrolled[i]) [s.scrollLeft, s.scrollTop] = scrolled[i]; });
    if (active) node.querySelector(active)?.focus({ preventScroll: true });
  };
  const take = (text) => {
    const fetched = new DOMParser().parseFromString(text, "text/html");
    const next = regions(fetched);
    if (next.size === 0) return false;
    setClock(fetched.documentElement);
    const changed = [];
    for (const [key, old] of regions(document)) {
      const region = next.get(key);
      if (!region || typing(old)) continue;
      const html = region.outerHTML;
      if (written.get(key) === html) continue;
      written.set(key, html);
      exchange(old, region);
      changed.push(key);
    }
    const made = document.getElementById("made");
    const again = fetched.getElementById("made");
    if (made && again) { made.dateTime = again.dateTime; made.title = again.textContent; delete made.dataset.utc; }
    if (fetched.title) document.title = fetched.title;
    fresh = Date.now();
    document.dispatchEvent(new CustomEvent("dashboard:updated", { detail: { keys: changed } }));
    return true;
  };

  // ---- fetching ---------------------------------------------------------------------------------------------------
  let timer = 0, busy = false, again = false, last = 0, took = 0;
  let down = false; // the page itself could not be fetched
  const refresh = () => {
    if (busy) { again = true; return; }
    if (timer) return;
    // a page that is slow to make is asked for less often
    const wait = Math.max(0, last + Math.max(SOONEST, 5 * took) - Date.now());
    timer = setTimeout(load, wait);
  };
  // How long the service took: without what this page itself did meanwhile, such as its charts.
  const answered = (elapsed) => {
    const page = location.href.split("#")[0];
    const own = performance.getEntriesByType("resource").filter((e) => e.name.split("#")[0] === page).pop();
    performance.clearResourceTimings(); // there is room for 250 only
    return own ? Math.min(own.responseEnd - own.startTime, elapsed) : elapsed;
  };
  const load = async () => {
    timer = 0;
    busy = true;
    again = false;
    const begun = last = Date.now();
    let retry = 0;
    try {
      const response = await fetch(location.href, { headers: { accept: "text/html", "x-rollout-judge-live": "1" }, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      if (response.redirected && new URL(response.url).pathname !== location.pathname) { signedOut(); return; }
      if (response.ok && take(await response.text())) {
        down = false;
        settled();
      } else {
        down = true;
        retry = 2000;
        lost(response.status === 429 ? "the service is busy" : `the service answers ${response.status}`);
      }
    } catch {
      down = true;
      retry = 2000;
      lost("connection lost");
    } finally {
      busy = false;
      took = Math.min(answered(Date.now() - begun), 2000);
    }
    if (retry) setTimeout(refresh, retry);
    else if (again) refresh();
  };

  // ---- the stream -------------------------------------------------------------------------------------------------
  let leaving = false; // the session is over, and somebody types
  let source = null, poll = 0, backoff = 1000, comeback = 0;
  const settled = () => {
    if (poll) tell("slow", "no free live connection: refreshed every 10 s");
    else if (source && source.readyState === EventSource.OPEN) tell("live", "live");
  };
  const stopPolling = () => { clearInterval(poll); poll = 0; };
  const close = () => {
    clearTimeout(comeback);
    stopPolling();
    if (source) source.close();
    source = null;
  };
  const open = () => {
    if (leaving) return;
    close();
    source = new EventSource(body.dataset.events);
    source.addEventListener("open", () => {
      backoff = 1000;
      stopPolling();
      refresh(); // what happened between the making of the page and now; only then it is live
    });
    for (const kind of KINDS) source.addEventListener(kind, refresh);
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CONNECTING) { lost("connection lost"); return; }
      refused();
    });
  };
  // the browser gives up on a refusal without saying which; ask once more to see it
  const refused = async () => {
    const stop = new AbortController();
    let status = 0;
    try {
      const response = await fetch(body.dataset.events, { signal: stop.signal, cache: "no-store" });
      status = response.status;
    } catch { /* no answer */ } finally { stop.abort(); }
    close();
    if (status === 401) { signedOut(); return; }
    if (status === 429) {
      poll = setInterval(refresh, POLL);
      settled();
      comeback = setTimeout(open, FULL);
      return;
    }
    if (status !== 200) lost("connection lost");
    comeback = setTimeout(open, status === 200 ? 0 : backoff);
    backoff = Math.min(backoff * 2, 15000);
  };
  setInterval(() => { if (!document.hidden && source && Date.now() - last > CALM) refresh(); }, 1000);

  // ---- a page that nobody sees ------------------------------------------------------------------------------------
  let away = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(away);
    if (document.hidden) away = setTimeout(close, HIDDEN);
    else if (!source && !poll) open();
    else localise(document);
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  // a stream keeps the page's loading indicator busy if it begins before the page is complete
  if (document.readyState === "complete") open();
  else addEventListener("load", () => setTimeout(open, 0));
})();
