// Words for numbers, moments and spans: the same as those of the service.
"use strict";
window.words = (() => {
  const two = (n) => String(n).padStart(2, "0");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const clock = (d) => `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
  const day = (d) => `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
  const moment = (ms) => { const d = new Date(ms); return `${day(d)} ${clock(d)}`; };
  const utc = (ms) => `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  // Ties go to the even digit, as on the pages that the service writes.
  const fixed = (v, digits) => {
    const exact = v.toFixed(digits + 30);
    const cut = exact.length - 30;
    if (!/^50*$/.test(exact.slice(cut)) || !/[02468]\.?$/.test(exact.slice(0, cut))) return v.toFixed(digits);
    return exact.slice(0, cut).replace(/\.$/, "");
  };
  const plain = (v) => {
    if (v == null || !Number.isFinite(v)) return "–";
    const size = Math.abs(v);
    if (size < 1e-12) return "0"; // left over from rounding
    if (size >= 1e15) return v.toExponential(1).replace("e+", "e").replace("-", "−");
    if (size >= 1000) return fixed(v, 0).replace("-", "−").replace(/\B(?=(\d{3})+$)/g, "\u2009");
    if (size < 1e-4) return v.toExponential(1).replace(/^-/, "−");
    const text = fixed(v, Math.max(0, 2 - Math.floor(Math.log10(size))));
    return (text.includes(".") ? text.replace(/\.?0+$/, "") : text).replace("-", "−");
  };
  const bytes = (v) => {
    for (const unit of ["B", "KiB", "MiB", "GiB"]) {
      if (Math.abs(v) < 1024) return `${plain(v)}\u202f${unit}`;
      v /= 1024;
    }
    return `${plain(v)}\u202fTiB`;
  };
  const value = (v, unit) => {
    if (v == null) return "–";
    if (unit === "ratio") return `${plain(v * 100)}\u202f%`;
    if (unit === "bytes") return bytes(v);
    if (unit !== "seconds") return plain(v);
    if (v !== 0 && Math.abs(v) < 1e-3) return `${plain(v * 1e6)}\u202fµs`;
    return Math.abs(v) < 1 ? `${plain(v * 1e3)}\u202fms` : `${plain(v)}\u202fs`;
  };
  // A difference of two shares is in points: percent would read as a share of stable.
  const onScale = (v, one, bare) => {
    if (v == null) return "–";
    if (one.scale !== "difference") return `${plain(v)}${bare ? "" : "\u202f×"}`;
    return `${v > 0 ? "+" : ""}${one.unit === "ratio" ? `${plain(v * 100)}\u202fpoints` : value(v, one.unit)}`;
  };
  // The two largest units, as on the pages that the service writes.
  const span = (ms) => {
    if (ms < 1000) return "0\u202fs";
    let rest = Math.floor(ms / 1000);
    const parts = [];
    for (const [length, unit] of [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]]) {
      const count = Math.floor(rest / length);
      rest %= length;
      if (count > 0) parts.push(`${count}\u202f${unit}`);
      else if (parts.length > 0) break;
      if (parts.length === 2) break;
    }
    return parts.join(" ");
  };
  const percent = (v) => (v == null ? "–" : `${plain(v)}\u202f%`);
  return { two, zone, day, clock, moment, utc, plain, value, onScale, percent, span };
})();
