// The charts of one rollout: its walk, and for each objective the values of both arms, the effect with its interval, and the
// evidence with its boundaries. Data comes as columns from chart.json; sheet.js draws.
"use strict";
(() => {
  const root = document.getElementById("charts");
  if (!root || !window.uPlot) return;
  const state = root.querySelector(".chart-state");
  state.textContent = "Loading the history of this canary…";
  const SOONEST = 1000; // ms between two fetches
  const RETRY = 5000;
  const FAR = 14; // a ratio beyond e^14 is drawn at the edge
  const ABOVE = 1.6, BELOW = 1; // evidence beyond so many times its boundary is drawn at the edge

  const { clock, moment, utc, plain, value, onScale, percent, span } = window.words;
  const { make, colour, time, reset, spoken, valueAxis, chart, label, ...sheet } = window.sheet(root.dataset.verdicts);

  const last = (list) => { for (let i = list.length - 1; i >= 0; i--) if (list[i] != null) return list[i]; return null; };

  // ---- the walk -----------------------------------------------------------------------------------------------------
  const INK = { pass: "good", fail: "bad", inconclusive: "odd" };
  // Outcomes in a row are one stretch; the log knows changes between the verdicts that are drawn.
  const stretches = (data) => {
    const points = data.looks.at.map((at, i) => [at, data.looks.outcome[i]]);
    for (const e of data.events) if (e.kind === "changed" && e.outcome && e.policy === data.policy) points.push([e.at, e.outcome]);
    points.sort((a, b) => a[0] - b[0]);
    const found = [];
    for (const [at, outcome] of points) {
      const before = found[found.length - 1];
      const silent = before && at - before.to > data.gap;
      if (before && !silent) before.to = at;
      if (!before || silent || before.outcome !== outcome) found.push({ from: at, to: at, outcome });
    }
    return found;
  };
  const pattern = (ctx, outcome, ratio) => {
    const size = 6 * ratio;
    const tile = document.createElement("canvas");
    tile.width = tile.height = size;
    const t = tile.getContext("2d");
    t.strokeStyle = t.fillStyle = colour(INK[outcome]);
    t.lineWidth = 1.2 * ratio;
    if (outcome === "fail") { for (const d of [-size, 0, size]) { t.moveTo(d, size); t.lineTo(d + size, 0); } t.stroke(); }
    else if (outcome === "inconclusive") { t.fillRect(size / 3, size / 3, 1.5 * ratio, 1.5 * ratio); }
    return ctx.createPattern(tile, "repeat");
  };
  const shape = (ctx, kind, x, y, r) => {
    ctx.beginPath();
    if (kind === "pass") ctx.arc(x, y, r, 0, 7);
    else if (kind === "fail") { ctx.moveTo(x, y - r); ctx.lineTo(x + r, y + r); ctx.lineTo(x - r, y + r); ctx.closePath(); }
    else if (kind.startsWith("override")) { ctx.moveTo(x, y - r); ctx.lineTo(x + r, y); ctx.lineTo(x, y + r); ctx.lineTo(x - r, y); ctx.closePath(); }
    else ctx.rect(x - r * 0.85, y - r * 0.85, r * 1.7, r * 1.7);
    ctx.fill();
  };
  const BAND = 16; // height of the verdict band, px
  const bandOf = (source) => (u) => {
    const { ctx } = u;
    const ratio = devicePixelRatio || 1;
    const { left, top, width, height } = u.bbox;
    const y = top + height - BAND * ratio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    for (const s of stretches(source())) {
      const from = u.valToPos(s.from / 1000, "x", true);
      const to = Math.max(u.valToPos(s.to / 1000, "x", true), from + 2 * ratio);
      if (to < left || from > left + width) continue;
      ctx.fillStyle = colour(`${INK[s.outcome]}-ground`);
      ctx.fillRect(from, y, to - from, BAND * ratio);
      ctx.fillStyle = pattern(ctx, s.outcome, ratio);
      if (s.outcome !== "pass") ctx.fillRect(from, y, to - from, BAND * ratio);
      ctx.fillStyle = colour(INK[s.outcome]);
      ctx.fillRect(from, y, to - from, 2 * ratio);
      const start = Math.max(from, left);
      if (to - start > 14 * ratio) shape(ctx, s.outcome, start + 8 * ratio, y + (BAND / 2 + 1) * ratio, 4 * ratio);
      ctx.font = `600 ${11 * ratio}px system-ui, sans-serif`;
      ctx.textAlign = "left";
      const wide = ctx.measureText(s.outcome).width;
      if (to - start > wide + 24 * ratio) {
        ctx.fillStyle = colour(`${INK[s.outcome]}-ground`);
        ctx.fillRect(start + 14 * ratio, y + 2 * ratio, wide + 6 * ratio, (BAND - 2) * ratio);
        ctx.fillStyle = colour(INK[s.outcome]);
        ctx.textBaseline = "middle";
        ctx.fillText(s.outcome, start + 17 * ratio, y + (BAND / 2 + 1.5) * ratio);
      }
    }
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillStyle = colour("quiet");
    for (const [a, b] of time.silences) {
      const from = Math.max(u.valToPos(a, "x", true), left), to = Math.min(u.valToPos(b, "x", true), left + width);
      if (to - from > ctx.measureText("nobody asked").width + 8 * ratio) ctx.fillText("nobody asked", (from + to) / 2, y + (BAND / 2 + 1.5) * ratio);
    }
    ctx.restore();
  };
  const QUIET = new Set(["verdict", "weight", "changed", "started", "delivered"]);
  const marksOf = (source) => (u) => {
    const { ctx } = u;
    const ratio = devicePixelRatio || 1;
    const { left, top, width, height } = u.bbox;
    ctx.save();
    for (const e of source().events) {
      if (QUIET.has(e.kind)) continue;
      const x = u.valToPos(e.at / 1000, "x", true);
      if (x < left - 1 || x > left + width + 1) continue;
      ctx.strokeStyle = ctx.fillStyle = colour(e.severity === "info" ? "quiet" : "bad");
      ctx.lineWidth = ratio;
      ctx.setLineDash([2 * ratio, 3 * ratio]);
      ctx.beginPath();
      ctx.moveTo(x, top + 8 * ratio);
      ctx.lineTo(x, top + height - BAND * ratio);
      ctx.stroke();
      ctx.setLineDash([]);
      shape(ctx, e.kind, x, top + 4 * ratio, 4 * ratio);
    }
    ctx.restore();
  };
  const walkChart = (source) => {
    const note = make("p", { class: "readout quiet" });
    const stops = make("p", { class: "stops quiet" });
    const figure = chart({
      title: "Weight and verdict", name: "Weight asked, share of requests seen, and verdict over time", height: 190, source,
      lines: [
        { label: "asked", ink: "text", width: 2, step: true, read: (i) => percent(source().looks.weight[i]) },
        { label: "seen", ink: "canary", width: 1.5, dash: [5, 3], span: true, read: (i) => percent(source().looks.share[i]) },
        { label: "verdict", ink: "odd", hidden: true, area: true, width: 0, read: (i) => source().looks.outcome[i] },
      ],
      data: () => { const { at, weight, share } = source().looks; return [at.map((t) => t / 1000), weight, share, at.map(() => null)]; },
      scale: { range: [-14, 106] },
      axis: valueAxis((v) => `${v}\u202f%`, { splits: () => [0, 25, 50, 75, 100] }),
      under: bandOf(source), over: marksOf(source),
      near: (u) => {
        const left = u.cursor.left;
        const close = left < 0 ? [] : source().events.filter((e) => !QUIET.has(e.kind) && Math.abs(u.valToPos(e.at / 1000, "x") - left) < 7);
        const text = close.map((e) => `${clock(new Date(e.at))} ${e.kind}${e.author ? ` by ${e.author}` : ""}: ${e.reason}`).join(" · ");
        if (note.textContent !== text) note.textContent = text;
      },
      more: () => {
        stops.hidden = time.silences.length === 0;
        stops.textContent = `No line is drawn where nobody asked for more than ${span(source().gap)}: three times the usual time between two verdicts, at least 2\u202fmin.`;
      },
    });
    figure.append(note, stops);
    return figure;
  };

  // ---- one objective ------------------------------------------------------------------------------------------------
  const valuesChart = (source, get) => chart({
    title: "Values since the start", name: `${get().name}: values of canary and stable`, height: 170, source,
    lines: [
      { label: "canary", ink: "canary", width: 2, points: true, read: (i) => value(get().canary[i], get().unit) },
      { label: "stable", ink: "stable", width: 2, dash: [6, 3], read: (i) => value(get().stable[i], get().unit) },
      ...(get().limit == null ? [] : [{ label: "limit", ink: "bad", width: 1.5, dash: [2, 3], read: () => value(get().limit, get().unit) }]),
    ],
    data: () => {
      const one = get();
      const { at } = source().looks;
      const columns = [at.map((t) => t / 1000), one.canary, one.stable];
      if (one.limit != null) {
        // a limit far away would flatten the lines; the legend has it
        const top = Math.max(...one.canary.concat(one.stable).map((v) => Math.abs(v ?? 0)));
        columns.push(at.map(() => (Math.abs(one.limit) <= 4 * top ? one.limit : null)));
      }
      return columns;
    },
    axis: valueAxis((v) => value(v, get().unit)),
  });

  // Round numbers, the roundest first; each is taken if it is not too near to one that is there.
  const RATIOS = [[1], [0.1, 10], [0.01, 100], [0.5, 2], [0.2, 5], [0.001, 1000], [0.02, 50], [0.05, 20], [0.75, 1.5], [0.3, 3], [0.9, 1.1, 1.25],
    [0.8, 0.6, 0.7, 1.75, 4], [0.95, 1.05, 1.15, 1.2], [0.98, 1.02], [0.99, 1.01]].flat().map(Math.log);
  const ratioSplits = (u, _axis, min, max) => {
    const near = (max - min) * 24 / Math.max(24, u.over.clientHeight || 120);
    const taken = [];
    for (const v of RATIOS) if (v >= min && v <= max && taken.every((t) => Math.abs(t - v) >= near)) taken.push(v);
    return taken.sort((a, b) => a - b);
  };
  const effectChart = (source, get) => {
    const ratio = get().scale !== "difference";
    const title = { ratio: "Canary over stable", complements: "Canary over stable, of what is missing to 100\u202f%", difference: "Canary minus stable" };
    const put = (v, open) => {
      if (v == null) return open;
      if (!ratio) return v;
      return v <= 0 ? -FAR : Math.max(-FAR, Math.min(FAR, Math.log(v)));
    };
    const column = (list) => list.map((v) => put(v, null));
    // where one end of an interval is open, it is drawn to the edge
    const ends = (one, list, other, edge) => list.map((v, i) => (v == null && other[i] != null && one.effect[i] != null ? (ratio ? edge : null) : put(v, null)));
    const show = (v) => onScale(v, get());
    const range = (i) => {
      const { lower, upper, effect } = get();
      if (effect[i] == null || (lower[i] == null && upper[i] == null)) return "";
      if (upper[i] == null) return ` (at least ${show(lower[i])})`;
      return lower[i] == null ? ` (at most ${show(upper[i])})` : ` (${onScale(lower[i], get(), true)} to ${onScale(upper[i], get(), true)})`;
    };
    return chart({
      title: title[get().scale], name: `${get().name}: difference with its interval and the margin`, height: 170, source,
      lines: [
        { label: "estimate", ink: "text", width: 2, read: (i) => `${show(get().effect[i])}${range(i)}` },
        { label: "upper", ink: "quiet", width: 1, silent: true, read: (i) => show(get().upper[i]) },
        { label: "lower", ink: "quiet", width: 1, silent: true, read: (i) => show(get().lower[i]) },
        { label: "margin", ink: "bad", width: 1.5, dash: [6, 4], read: (i) => show(get().margin[i]) },
      ],
      bands: [{ series: [2, 3], fill: () => `color-mix(in srgb, ${colour("quiet")} 22%, transparent)` }],
      data: () => {
        const one = get();
        const { at } = source().looks;
        return [at.map((t) => t / 1000), column(one.effect), ends(one, one.upper, one.lower, FAR), ends(one, one.lower, one.upper, -FAR),
          column(one.margin)];
      },
      scale: {
        range: (u) => {
          const [, estimate, upper, lower, margin] = u.data;
          const [i0, i1] = u.series[0].idxs || [0, estimate.length - 1];
          let min = 0, max = 0;
          const take = (v) => { if (v != null && Math.abs(v) < FAR) { min = Math.min(min, v); max = Math.max(max, v); } };
          for (let i = i0; i <= i1; i++) { take(estimate[i]); take(margin[i]); }
          // of the interval the later half: at the start it is wider than anything one wants to see
          for (let i = Math.floor((i0 + i1) / 2); i <= i1; i++) { take(upper[i]); take(lower[i]); }
          const least = ratio ? 0.05 : 1e-12;
          const room = Math.max((max - min) * 0.08, least);
          return [min - room, max + room];
        },
      },
      axis: ratio ? valueAxis((v) => `${plain(Math.exp(v))}\u202f×`, { splits: ratioSplits }) : valueAxis((v) => value(v, get().unit)),
      over: (u) => {
        const { ctx } = u;
        const { left, top, width, height } = u.bbox;
        const y = u.valToPos(0, "y", true);
        if (y > top && y < top + height) {
          ctx.save();
          ctx.strokeStyle = colour("strong-line");
          ctx.lineWidth = devicePixelRatio || 1;
          ctx.setLineDash([]);
          ctx.beginPath();
          ctx.moveTo(left, y);
          ctx.lineTo(left + width, y);
          ctx.stroke();
          ctx.restore();
        }
        const margin = last(get().margin);
        if (margin != null) label(u, put(margin, null), "margin of harm", "bad");
      },
    });
  };

  const evidenceChart = (source, get) => {
    // The boundaries stay in sight. What is beyond them by far decides nothing more: it is drawn at the edge, with an arrow.
    const bound = () => [get().failAt, get().passAt].flat().reduce((most, v) => Math.max(most, v ?? 0), 0) || 1;
    const edges = () => { const b = bound(); return [-BELOW * b, ABOVE * b]; };
    const beyond = (v, [low, high]) => (v == null ? 0 : v > high ? 1 : v < low ? -1 : 0);
    const told = (v, at) => `${plain(v)} of ${plain(at)}${beyond(v, edges()) ? ", off the chart" : ""}`;
    const kept = (list) => { const [low, high] = edges(); return list.map((v) => (v == null ? null : Math.min(high, Math.max(low, v)))); };
    const arrows = (u) => {
      const { ctx } = u;
      const ratio = devicePixelRatio || 1;
      const { left, top, width, height } = u.bbox;
      const far = edges();
      for (const [list, ink] of [[get().fail, "bad"], [get().pass, "good"]]) {
        let before = -Infinity;
        ctx.save();
        ctx.fillStyle = colour(ink);
        list.forEach((v, i) => {
          const way = beyond(v, far);
          if (!way) return;
          const x = u.valToPos(source().looks.at[i] / 1000, "x", true);
          if (x < left - 1 || x > left + width + 1 || x - before < 18 * ratio) return;
          before = x;
          const y = way > 0 ? top : top + height;
          ctx.beginPath();
          ctx.moveTo(x, y);
          ctx.lineTo(x - 5 * ratio, y + way * 8 * ratio);
          ctx.lineTo(x + 5 * ratio, y + way * 8 * ratio);
          ctx.closePath();
          ctx.fill();
        });
        ctx.restore();
      }
    };
    return chart({
      title: "Evidence, ln E, of what decides", name: `${get().name}: evidence of harm and of no harm with the boundaries of a decision`, height: 170, source,
      lines: [
        { label: "harm", ink: "bad", width: 2, points: true, read: (i) => told(get().fail[i], get().failAt[i]) },
        { label: "fails at", ink: "bad", width: 1.5, dash: [6, 4], silent: true, read: (i) => plain(get().failAt[i]) },
        { label: "no harm", ink: "good", width: 2, dash: [8, 2, 2, 2], read: (i) => told(get().pass[i], get().passAt[i]) },
        { label: "passes at", ink: "good", width: 1.5, dash: [2, 3], silent: true, read: (i) => plain(get().passAt[i]) },
      ],
      data: () => { const one = get(); return [source().looks.at.map((t) => t / 1000), kept(one.fail), one.failAt, kept(one.pass), one.passAt]; },
      scale: {
        range: (u) => {
          const [, fail, , pass] = u.data;
          const [i0, i1] = u.series[0].idxs || [0, fail.length - 1];
          let min = 0, max = bound();
          for (let i = i0; i <= i1; i++) for (const v of [fail[i], pass[i]]) if (v != null) { min = Math.min(min, v); max = Math.max(max, v); }
          const room = (max - min) * 0.12;
          return [min - room, max + room];
        },
      },
      axis: valueAxis(plain),
      over: (u) => {
        const [failAt, passAt] = [last(get().failAt), last(get().passAt)];
        if (failAt != null) label(u, failAt, "fails at", "bad");
        if (passAt != null) label(u, passAt, "passes at", "good");
        arrows(u);
      },
    });
  };

  // The same numbers for those who cannot see a chart.
  const numbers = (source, get) => {
    const details = make("details", {}, make("summary", {}, `Numbers of ${get().name}`));
    let box = null;
    const fill = () => {
      const one = get();
      const { at, outcome, id } = source().looks;
      const head = ["Asked", "Verdict", "Canary", "Stable", "Against stable", "Lower", "Upper", "Margin", "Harm, ln E", "No harm, ln E"];
      const body = make("tbody");
      for (let i = at.length - 1; i >= 0; i--) {
        const when = make("time", { datetime: new Date(at[i]).toISOString(), title: utc(at[i]) }, moment(at[i]));
        const link = make("a", { href: root.dataset.verdicts + encodeURIComponent(id[i]) }, when);
        const cells = [value(one.canary[i], one.unit), value(one.stable[i], one.unit), onScale(one.effect[i], one), onScale(one.lower[i], one),
          onScale(one.upper[i], one), onScale(one.margin[i], one), plain(one.fail[i]), plain(one.pass[i])];
        body.append(make("tr", {}, make("th", { scope: "row" }, link), make("td", {}, outcome[i]), ...cells.map((c) => make("td", { class: "number" }, c))));
      }
      const table = make("table", {}, make("caption", {}, `${one.name}: what was known at each verdict, newest first`),
        make("thead", {}, make("tr", {}, ...head.map((h) => make("th", { scope: "col" }, h)))), body);
      const next = make("div", { class: "panel scroll tall", tabindex: "0", role: "region", "aria-label": `Numbers of ${one.name}` }, table);
      if (box) box.replaceWith(next); else details.append(next);
      box = next;
    };
    details.addEventListener("toggle", () => { if (details.open) fill(); });
    return { details, show: () => { if (details.open) fill(); } };
  };

  // ---- everything ---------------------------------------------------------------------------------------------------
  let data = null, shape_ = "", tables = [];
  const source = () => data;
  const build = () => {
    sheet.clear();
    tables = [];
    const all = [make("p", { class: "tools-row" }, reset,
      make("span", { class: "quiet onscreen" }, "Drag to zoom, double click to go back; with the keyboard: arrows, + and −, Enter opens the verdict.")), spoken, walkChart(source)];
    data.objectives.forEach((one, n) => {
      const get = () => data.objectives[n];
      const table = numbers(source, get);
      tables.push(table);
      const mark = one.watch ? make("span", { class: "quiet" }, " watched only") : "";
      const trio = make("div", { class: "trio" }, valuesChart(source, get), effectChart(source, get), evidenceChart(source, get));
      all.push(make("section", { class: "objective", "aria-label": one.name }, make("h3", {}, make("bdi", {}, one.name), mark), trio, table.details));
    });
    root.replaceChildren(state, ...all);
    sheet.fit();
  };
  const tell = (text) => { state.textContent = text; state.hidden = !text; };
  const show = (fetched) => {
    const begun = performance.now();
    data = fetched;
    const { at } = data.looks;
    root.classList.remove("stale");
    if (at.length === 0) {
      sheet.clear();
      shape_ = "";
      root.replaceChildren(state);
      tell("No verdict of this canary and policy is kept, so there is nothing to draw.");
      root.dataset.state = "empty";
      return;
    }
    time.full = [at[0] / 1000, at[at.length - 1] / 1000];
    time.silences = at.slice(1).map((t, i) => [at[i] / 1000, t / 1000]).filter(([from, to]) => (to - from) * 1000 > data.gap);
    tell(data.thinned ? `More verdicts are kept than are drawn: ${at.length} of them, spread evenly over time.` : "");
    const now = JSON.stringify(data.objectives.map((o) => [o.name, o.scale, o.unit, o.limit == null]));
    if (now !== shape_) { shape_ = now; build(); } else { sheet.show(); tables.forEach((t) => t.show()); }
    root.dataset.state = "ready";
    // drawing waits for the next turn of the event loop
    queueMicrotask(() => { root.dataset.drawn = (performance.now() - begun).toFixed(1); });
  };

  let busy = false, again = false, timer = 0, at = 0;
  const refresh = () => {
    if (busy) { again = true; return; }
    if (!timer) timer = setTimeout(load, Math.max(0, at + SOONEST - Date.now()));
  };
  const load = async () => {
    timer = 0; busy = true; again = false; at = Date.now();
    try {
      const response = await fetch(root.dataset.url, { headers: { accept: "application/json" } });
      if (!response.ok) throw new Error(`the service answers ${response.status}`);
      show(await response.json());
    } catch (error) {
      root.classList.toggle("stale", data != null);
      root.dataset.state = "error";
      tell(`The history could not be loaded (${error.message}); tried again every ${RETRY / 1000} s.${data ? " What is drawn is older." : ""}`);
      setTimeout(refresh, RETRY);
    } finally {
      busy = false;
      if (again) refresh();
    }
  };
  document.addEventListener("dashboard:updated", refresh);
  document.addEventListener("dashboard:theme", sheet.repaint);
  let theme = null;
  const PAPER = 690; // px: a chart as wide as the text of an A4 page, so that its letters stay as large as drawn
  addEventListener("beforeprint", () => {
    theme = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
    sheet.widen(PAPER);
    sheet.repaint();
  });
  addEventListener("afterprint", () => {
    if (theme) document.documentElement.dataset.theme = theme;
    sheet.fit();
    sheet.repaint();
  });
  load();
})();
