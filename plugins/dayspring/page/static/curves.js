// Curves over days: one line an experiment, skipped days as bands, releases as marks, values under the pointer.
const PAD = { left: 50, right: 10, top: 8, bottom: 36 };

function niceTicks(low, high, wanted) {
  const rough = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough);
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + step / 1e6; tick += step) ticks.push(Math.abs(tick) < step / 1e6 ? 0 : +tick.toPrecision(10));
  return ticks;
}

const short = (value) => (Math.abs(value) >= 1e6 ? `${+(value / 1e6).toPrecision(3)}M` : Math.abs(value) >= 1e4 ? `${+(value / 1e3).toPrecision(3)}k` : String(+value.toPrecision(4)));

// lines: [{name, values, place, dashed}]; options: first, from, to, skips, marks, height, label
function chart(lines, options) {
  const holder = el("div", { class: "chart" });
  const readout = el("div", { class: "readout soft", "aria-live": "polite" });
  let width = 0;
  const observer = new ResizeObserver(([entry]) => {
    const now = Math.round(entry.contentRect.width);
    if (now && now !== width) { width = now; draw(); }
  });
  observer.observe(holder);
  const hint = options.hint === false ? "" : "Point at the curves, or use the arrow keys, to read values.";
  readout.textContent = hint;

  function draw() {
    const { first, from, to, height = 260 } = options;
    const values = lines.flatMap((line) => line.values.slice(from, to + 1)).filter((value) => value !== null && value !== undefined);
    if (!values.length) { holder.replaceChildren(el("p", { class: "soft" }, "Nothing was measured in these days.")); return; }
    let low = Math.min(...values), high = Math.max(...values);
    const margin = (high - low) * 0.06 || Math.abs(high) * 0.02 || 1;
    low = options.zero ? 0 : low - margin; high += margin;
    const span = Math.max(to - from, 1);
    const x = (n) => PAD.left + (width - PAD.left - PAD.right) * (to === from ? 0.5 : (n - from) / span);
    const y = (value) => PAD.top + (height - PAD.top - PAD.bottom) * (high - value) / (high - low);
    const box = svg("svg", { viewBox: `0 0 ${width} ${height}`, height, tabindex: 0, role: "img", "aria-label": options.label });
    const step = Math.max((width - PAD.left - PAD.right) / span, 1.5);
    for (const n of Object.keys(options.skips || {}).map(Number)) {
      if (n >= from && n <= to) box.append(svg("rect", { class: "band", x: x(n) - step / 2, y: PAD.top, width: step, height: height - PAD.top - PAD.bottom },
        svg("title", {}, `${dayOf(first, n)} skipped: ${options.skips[n]}`)));
    }
    for (const tick of niceTicks(low, high, height < 180 ? 3 : 5)) {
      box.append(svg("line", { class: "gridline", x1: PAD.left, x2: width - PAD.right, y1: y(tick), y2: y(tick) }),
        svg("text", { class: "tick", x: PAD.left - 6, y: y(tick) + 4, "text-anchor": "end" }, short(tick)));
    }
    const count = Math.max(2, Math.min(Math.floor(width / 110), span + 1));
    for (let i = 0; i < count; i++) {
      const n = Math.round(from + span * i / (count - 1));
      if (n > to) continue;
      box.append(svg("text", { class: "tick", x: x(n), y: height - 6, "text-anchor": i === 0 ? "start" : i === count - 1 ? "end" : "middle" }, dayOf(first, n)));
    }
    for (const n of options.marks || []) {
      if (n >= from && n <= to) box.append(svg("path", { class: "mark", d: `M${x(n)} ${height - PAD.bottom + 3}l3 6h-6z` }, svg("title", {}, `${dayOf(first, n)}: a release was published`)));
    }
    for (const line of lines) {
      let path = "";
      for (let n = from; n <= to; n++) {
        const value = line.values[n];
        if (value !== null && value !== undefined) path += `${path ? "L" : "M"}${x(n).toFixed(1)} ${y(value).toFixed(1)}`;
      }
      if (!path) continue;
      const paint = { stroke: line.paint || colour(line.place), fill: "none", "stroke-width": 1.8, "stroke-linejoin": "round", "stroke-dasharray": line.dashed ? "4 3" : dash(line.place) };
      box.append(svg("path", { class: "curve", "data-name": line.name, d: path, ...paint }));
      if (span < 70) for (let n = from; n <= to; n++) {
        const value = line.values[n];
        if (value !== null && value !== undefined) box.append(svg("circle", { cx: x(n), cy: y(value), r: 2.2, fill: line.paint || colour(line.place) }));
      }
    }
    const cross = svg("line", { class: "cross", y1: PAD.top, y2: height - PAD.bottom, visibility: "hidden" });
    box.append(cross);
    let here = null;
    function point(n) {
      here = Math.max(from, Math.min(to, n));
      cross.setAttribute("x1", x(here)); cross.setAttribute("x2", x(here)); cross.setAttribute("visibility", "visible");
      const skipped = (options.skips || {})[here];
      readout.replaceChildren(el("span", {}, `${WEEKDAYS[weekday(dayOf(first, here))]} ${dayOf(first, here)}${skipped ? " skipped" : ""}`),
        ...lines.map((line) => el("span", {}, el("i", { class: "swatch", style: { background: line.paint || colour(line.place) } }), ` ${line.name} `, el("b", {}, number(line.values[here])))));
    }
    box.addEventListener("pointermove", (event) => {
      const edge = box.getBoundingClientRect();
      point(Math.round(from + span * (event.clientX - edge.left - PAD.left) / (width - PAD.left - PAD.right)));
    });
    box.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -7, PageDown: 7, Home: -1e6, End: 1e6 };
      if (!(event.key in steps)) return;
      point(here === null ? to : here + steps[event.key]);
      event.preventDefault();
    });
    holder.replaceChildren(box);
  }
  return el("div", { class: hint ? "hinted" : null }, holder, readout);
}

function sparkline(rows, dashed, paint) {
  const known = [...rows, ...(dashed || [])].filter((value) => value !== null && value !== undefined);
  if (!known.length) return "";
  const high = Math.max(...known), low = Math.min(0, ...known), width = 150, height = 22;
  const path = (values) => {
    let text = "";
    values.forEach((value, n) => {
      if (value === null || value === undefined) return;
      const x = values.length > 1 ? width * n / (values.length - 1) : width / 2;
      text += `${text ? "L" : "M"}${x.toFixed(1)} ${(2 + (height - 4) * (high - value) / (high - low || 1)).toFixed(1)}`;
    });
    return text;
  };
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" },
    dashed && svg("path", { d: path(dashed), fill: "none", stroke: "var(--soft)", "stroke-dasharray": "3 2" }),
    svg("path", { d: path(rows), fill: "none", stroke: paint || "var(--c1)", "stroke-width": 1.5 }));
}
