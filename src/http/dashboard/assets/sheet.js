// A sheet of charts over one time: colours, zoom, axes, legends, and reading by pointer and keyboard. What is drawn comes from
// charts.js; colours come from base.css; text is only ever text.
"use strict";
window.sheet = (verdicts) => {
  const { two, zone, clock, moment, utc } = window.words;

  const make = (tag, attributes = {}, ...inside) => {
    const svg = tag === "svg" || tag === "line" || tag === "circle" || tag === "rect";
    const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    for (const [name, text] of Object.entries(attributes)) if (text != null) element.setAttribute(name, text);
    element.append(...inside);
    return element;
  };

  // ---- colours ------------------------------------------------------------------------------------------------------
  let style = getComputedStyle(document.documentElement);
  const colours = new Map();
  const colour = (name) => {
    if (!colours.has(name)) colours.set(name, style.getPropertyValue(`--${name}`).trim());
    return colours.get(name);
  };
  const FONT = "11px system-ui, sans-serif";

  // ---- time, which all charts share ---------------------------------------------------------------------------------
  const plots = [];
  // full: [min, max] of all data; silences: [from, to] in which nobody asked and nothing is known. All in seconds.
  const time = { full: null, silences: [] };
  // Pixels in which a line is not drawn: its own holes, and where nobody asked. A point of its own stays two pixels wide.
  const gapsOf = (line) => (u, _series, _from, _to, holes) => {
    const at = (t) => Math.round(u.valToPos(t, "x", true));
    const all = [...(line.span ? [] : holes), ...time.silences.map(([from, to]) => [at(from) + 1, at(to) - 1])].sort((a, b) => a[0] - b[0]);
    const merged = [];
    for (const [from, to] of all) {
      const before = merged[merged.length - 1];
      if (before && from <= before[1]) before[1] = Math.max(before[1], to);
      else merged.push([from, to]);
    }
    return merged;
  };
  let zoom = null; // what the viewer chose
  let moving = false;
  const reset = make("button", { type: "button", hidden: "" }, "Show the whole time");
  const setZoom = (range) => {
    zoom = range;
    reset.hidden = !range;
    const [min, max] = range || time.full;
    moving = true;
    for (const { u } of plots) u.setScale("x", { min, max });
    moving = false;
  };
  reset.addEventListener("click", () => setZoom(null));
  const spoken = make("p", { class: "sr", "aria-live": "polite" });

  // Seconds between the marks of time: none below one, which the labels could not tell apart.
  const STEPS = [1, 2, 5, 10, 15, 30, ...[1, 2, 5, 10, 15, 30].map((m) => 60 * m), ...[1, 2, 3, 4, 6, 12].map((h) => 3600 * h), ...[1, 2, 5, 10, 30, 90, 365].map((d) => 86400 * d)];
  const timeAxis = () => ({
    stroke: () => colour("quiet"), font: FONT, size: 28, gap: 3, space: 60, incrs: STEPS,
    grid: { stroke: () => colour("line"), width: 1 }, ticks: { stroke: () => colour("line"), width: 1, size: 4 },
    values: (u, splits, _axis, _space, step) => splits.map((s) => {
      const d = new Date(s * 1000);
      const midnight = d.getHours() === 0 && d.getMinutes() === 0 && d.getSeconds() === 0;
      if (step >= 86400 || midnight) return `${d.getMonth() + 1}-${two(d.getDate())}`;
      return step < 60 ? clock(d) : clock(d).slice(0, 5);
    }),
  });
  const valueAxis = (format, more = {}) => ({
    stroke: () => colour("quiet"), font: FONT, size: 62, gap: 4, space: 28,
    grid: { stroke: () => colour("line"), width: 1 }, ticks: { show: false },
    values: (_u, splits) => splits.map((s) => (s == null ? "" : format(s))),
    ...more,
  });

  // A line of the legend: the mark looks like the line in the chart.
  const swatch = (line) => {
    const svg = make("svg", { viewBox: "0 0 24 10", width: 24, height: 10, "aria-hidden": "true", class: `ink-${line.ink}` });
    if (line.area) svg.append(make("rect", { x: 0, y: 1, width: 24, height: 8, class: "area" }));
    else svg.append(make("line", { x1: 0, y1: 5, x2: 24, y2: 5, "stroke-width": line.width, "stroke-dasharray": (line.dash || []).join(" ") || null }));
    if (line.points) svg.append(make("circle", { cx: 12, cy: 5, r: 3 }));
    return svg;
  };

  // kind: { title, name, height, source(), lines: [{label, ink, width, dash, points, read(i)}], data(), scale, axis, bands, under, over, near(u), more() }
  const chart = (kind) => {
    const legend = make("ul", { class: "legend" });
    const cells = kind.lines.map((line) => {
      const cell = make("b");
      if (!line.silent) legend.append(make("li", {}, swatch(line), ` ${line.label} `, cell));
      return cell;
    });
    const when = make("time", { class: "quiet" });
    const plot = make("div", { class: "plot", tabindex: "0", role: "group", "aria-roledescription": "chart" });
    const figure = make("figure", { class: "chart" }, make("figcaption", {}, make("b", {}, kind.title), " ", when), legend, plot);

    const read = (i) => {
      const { at } = kind.source().looks;
      if (i == null || i >= at.length) i = at.length - 1;
      if (i < 0) return i;
      kind.lines.forEach((line, n) => { cells[n].textContent = line.read(i); });
      when.textContent = clock(new Date(at[i]));
      when.dataset.utc = utc(at[i]);
      when.title = `${utc(at[i])} · ${moment(at[i])} ${zone}`;
      when.dateTime = new Date(at[i]).toISOString();
      return i;
    };
    const words = (i) => kind.lines.filter((l) => !l.silent).map((l) => `${l.label} ${l.read(i)}`).join(", ");
    const name = () => {
      const { at } = kind.source().looks;
      const last = at.length - 1;
      plot.setAttribute("aria-label", `${kind.name}. ${at.length} verdicts from ${moment(at[0])} to ${moment(at[last])}. `
        + `Newest: ${words(last)}. The arrow keys read the values.`);
    };

    const series = kind.lines.map((line) => ({
      label: line.label,
      stroke: line.hidden ? undefined : () => colour(line.ink),
      width: line.hidden ? 0 : line.width, dash: line.dash, gaps: gapsOf(line),
      paths: line.step ? uPlot.paths.stepped({ align: 1 }) : undefined,
      points: line.points ? { size: 5, space: 12, fill: () => colour(line.ink) } : { show: false },
    }));
    const options = {
      width: 320, height: kind.height, legend: { show: false }, padding: [8, 24, 0, 0],
      scales: { x: { time: true, range: (_u, min, max) => (zoom || (max - min < 1 ? [min - 60, max + 60] : [min, max])) }, y: kind.scale || {} },
      series: [{}, ...series],
      axes: [timeAxis(), kind.axis],
      bands: kind.bands,
      cursor: {
        sync: { key: "rollout", setSeries: false, scales: ["x", null] },
        points: { size: 7, fill: (u, s) => u.series[s].stroke(u, s), show: true },
        drag: { x: true, y: false, dist: 8 },
      },
      hooks: {
        setCursor: [(u) => { read(u.cursor.idx); if (kind.near) kind.near(u); }],
        setScale: [(u, key) => {
          if (key !== "x" || moving || !time.full) return;
          const { min, max } = u.scales.x;
          const whole = min <= time.full[0] && max >= time.full[1];
          if (!whole || zoom) queueMicrotask(() => setZoom(whole ? null : [min, max]));
        }],
        drawClear: kind.under ? [kind.under] : [],
        draw: kind.over ? [kind.over] : [],
      },
    };
    const u = new uPlot(options, kind.data(), plot);
    u.over.addEventListener("dblclick", () => setZoom(null));
    const canvas = plot.querySelector("canvas");
    canvas.setAttribute("aria-hidden", "true");

    let place = null;
    plot.addEventListener("keydown", (event) => {
      const { at, id } = kind.source().looks;
      const last = at.length - 1;
      const from = place ?? (event.key === "ArrowRight" ? -1 : last + 1);
      const far = event.shiftKey ? 10 : 1;
      let [min, max] = zoom || time.full;
      const half = (max - min) / 2;
      const middle = place == null ? (min + max) / 2 : at[place] / 1000;
      switch (event.key) {
        case "ArrowLeft": place = Math.max(0, from - far); break;
        case "ArrowRight": place = Math.min(last, from + far); break;
        case "Home": place = 0; break;
        case "End": place = last; break;
        case "+": setZoom([middle - half / 2, middle + half / 2]); break;
        case "-": [min, max] = [middle - half * 2, middle + half * 2]; setZoom(min <= time.full[0] && max >= time.full[1] ? null : [min, max]); break;
        case "Escape": setZoom(null); break;
        case "Enter": if (place != null) location.href = verdicts + encodeURIComponent(id[place]); return;
        default: return;
      }
      event.preventDefault();
      if (place == null) return;
      for (const other of plots) other.u.setCursor({ left: other.u.valToPos(at[place] / 1000, "x"), top: 10 });
      spoken.textContent = `${moment(at[place])}: ${kind.source().looks.outcome[place]}, ${words(place)}`;
    });
    plot.addEventListener("blur", () => { place = null; });

    plots.push({
      u,
      fit: () => {
        const width = Math.floor(plot.clientWidth);
        if (width > 0 && width !== u.width) u.setSize({ width, height: kind.height });
      },
      show: () => {
        moving = true;
        u.setData(kind.data(), !zoom);
        if (zoom) u.setScale("x", { min: zoom[0], max: zoom[1] });
        moving = false;
        read(u.cursor.idx);
        name();
        kind.more?.();
      },
    });
    watch.observe(plot);
    read(null);
    name();
    kind.more?.();
    return figure;
  };
  const watch = new ResizeObserver(() => requestAnimationFrame(fit));

  // A word at the right end of a line, inside the plot.
  const label = (u, at, text, ink) => {
    const { ctx } = u;
    const ratio = devicePixelRatio || 1;
    let y = u.valToPos(at, "y", true);
    const { left, top, width, height } = u.bbox;
    if (!(y > top - 2 && y < top + height + 2)) return;
    y = Math.max(y, top + 14 * ratio);
    ctx.save();
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    ctx.textAlign = "right";
    ctx.textBaseline = "bottom";
    const wide = ctx.measureText(text).width;
    ctx.fillStyle = colour("surface");
    ctx.globalAlpha = 0.8;
    ctx.fillRect(left + width - wide - 6 * ratio, y - 14 * ratio, wide + 6 * ratio, 13 * ratio);
    ctx.globalAlpha = 1;
    ctx.fillStyle = colour(ink);
    ctx.fillText(text, left + width - 3 * ratio, y - 2 * ratio);
    ctx.restore();
  };

  // ---- all of them --------------------------------------------------------------------------------------------------
  const clear = () => {
    for (const { u } of plots) u.destroy();
    plots.length = 0;
  };
  const fit = () => plots.forEach((p) => p.fit());
  const show = () => plots.forEach((p) => p.show());
  const repaint = () => {
    style = getComputedStyle(document.documentElement);
    colours.clear();
    for (const { u } of plots) u.redraw(false, true);
  };
  const widen = (width) => { for (const { u } of plots) u.setSize({ width, height: u.height }); };
  return { make, colour, time, reset, spoken, valueAxis, chart, label, clear, fit, show, repaint, widen };
};
