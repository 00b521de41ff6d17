// The chain of an experiment as a calendar: a column a week, a square a day, reached by the arrow keys.
const GAP = 2, LEFT = 30, TOP = 18;
const STATES = {
  t: ["trained", "var(--trained)"], s: ["skipped", "var(--skipped)"], x: ["tainted", "var(--tainted)"],
  f: ["failed", "var(--failed)"], r: ["running", "var(--running)"], m: ["not run", "var(--missing)"],
};

function stateOf(job, experiment, n) {
  const state = experiment.states[n];
  if (state !== "m") return state;
  const task = ((job.runs || {}).tasks || {})[n] || {};
  const own = task[`train_${experiment.name}`];
  if (own === "running" || own === "restarting") return "r";
  if (own === "failed" || own === "upstream_failed" || ((job.failures[experiment.name] || {})[n])) return "f";
  return "m";
}

function calendar(job, experiment, from, to, choose) {
  const first = dayOf(job.first, from), lead = weekday(first);
  const weeks = Math.ceil((lead + to - from + 1) / 7);
  // Glyphs are drawn for squares of 13.
  const CELL = weeks <= 20 ? 18 : 13, STEP = CELL + GAP, scale = CELL / 13;
  const width = LEFT + weeks * STEP, height = TOP + 7 * STEP;
  const released = new Set((job.releases.trained[experiment.name] || []));
  const box = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group",
    "aria-label": `Days of ${experiment.name}; arrow keys move from day to day` });
  for (const row of [0, 2, 4]) box.append(svg("text", { class: "tick", x: 0, y: TOP + row * STEP + CELL * 0.78 }, WEEKDAYS[row]));
  const cells = [], months = new Map();
  for (let n = from; n <= to; n++) {
    const day = dayOf(job.first, n), column = Math.floor((lead + n - from) / 7), row = (lead + n - from) % 7;
    const x = LEFT + column * STEP, y = TOP + row * STEP;
    if (day.endsWith("-01") || n === from) months.set(column, MONTHS[+day.slice(5, 7) - 1]);
    const state = stateOf(job, experiment, n);
    if (state === ".") continue;
    const [name, paint] = STATES[state];
    const words = `${day} ${experiment.name}: ${name}${released.has(n) ? ", released" : ""}`;
    const cell = svg("rect", { x, y, width: CELL, height: CELL, rx: 2.5, fill: paint, class: "day", "data-state": state, "data-n": n,
      stroke: state === "m" ? "var(--missing-line)" : null, "stroke-dasharray": state === "m" ? "2 2" : null,
      role: "button", tabindex: -1, "aria-label": words }, svg("title", {}, words));
    cell.addEventListener("click", () => { focusOn(cell, false); choose(experiment, n, cell); });
    box.append(cell);
    if (state === "f") box.append(glyph(x, y, scale, "M4 4L9 9M9 4L4 9"));
    if (state === "x") box.append(glyph(x, y, scale, "M6.5 3V7.5M6.5 9.3V10"));
    if (state === "s") box.append(glyph(x, y, scale, "M4 6.5H9"));
    if (released.has(n)) box.append(svg("circle", { cx: x + CELL / 2, cy: y + CELL / 2, r: 2.6 * scale, fill: "var(--bg)", "pointer-events": "none" }));
    cells.push(cell);
  }
  const columns = [...months.keys()];
  columns.forEach((column, place) => {
    // The first month may have only a week left here: the next one's name needs the room.
    if (place === 0 && columns.length > 1 && (columns[1] - column) * STEP < 30) return;
    box.append(svg("text", { class: "tick", x: LEFT + column * STEP, y: 11 }, months.get(column)));
  });
  const byNumber = new Map(cells.map((cell) => [+cell.dataset.n, cell]));
  function focusOn(cell, move = true) {
    for (const each of cells) each.setAttribute("tabindex", -1);
    cell.setAttribute("tabindex", 0);
    if (move) cell.focus();
  }
  if (cells.length) focusOn(cells[cells.length - 1], false);
  box.addEventListener("keydown", (event) => {
    const n = +event.target.dataset.n;
    const steps = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: -7, ArrowRight: 7 };
    if (event.key in steps) {
      const next = byNumber.get(n + steps[event.key]);
      if (next) focusOn(next);
    } else if (event.key === "Enter" || event.key === " ") choose(experiment, n, event.target);
    else return;
    event.preventDefault();
  });
  const none = cells.length ? null : el("p", { class: "soft small" }, "no day yet");
  const notes = [experiment.champion && "champion", experiment.removed && "no longer in the YAML",
    experiment.settings_changed && "settings changed since the last trained day"].filter(Boolean).join(" · ");
  return el("div", { class: "calendar" }, el("h3", {}, experiment.name, notes && el("span", { class: "soft small" }, ` ${notes}`)), none || box);
}

const glyph = (x, y, scale, d) => svg("path", { d, transform: `translate(${x} ${y}) scale(${scale})`, stroke: "var(--bg)", "stroke-width": 1.6,
  "stroke-linecap": "round", fill: "none", "pointer-events": "none" });

function calendarKeys() {
  const key = (paint, text, dot) => el("span", {}, el("i", { class: "swatch", style: { background: paint } }), text, dot);
  return el("div", { class: "keys" }, Object.values(STATES).map(([name, paint]) => key(paint, name)),
    el("span", {}, "a dot: its checkpoint was released"));
}
