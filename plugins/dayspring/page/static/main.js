// Putting the page together.
const RANGES = [["4 weeks", 28], ["13 weeks", 91], ["26 weeks", 182], ["53 weeks", 371], ["all days", 1e9]];

function header(current) {
  const link = (name) => el("a", { href: `?job=${encodeURIComponent(name)}`, "aria-current": name === current ? "page" : null }, name);
  return el("header", {}, el("h1", {}, current || "Dayspring"), el("nav", { "aria-label": "Jobs" },
    el("a", { href: "./", "aria-current": current ? null : "page" }, "all jobs"), DATA.jobs.map(link)));
}

function jobPage(page, job) {
  page.append(header(job.job));
  if (job.broken) { page.append(el("section", {}, broken(job))); return; }
  if (!job.trained && !job.count) {
    page.append(empty(job));
    const items = attention(job);
    if (items.length) page.append(el("section", {}, el("h2", {}, "Needs attention"), el("ul", { class: "plain" }, items)));
    page.append(...closing(job).filter(Boolean));
    return;
  }
  const kept = job.count <= 120 ? 1e9 : 91;
  const state = { measure: job.measures.primary, days: kept, hidden: new Set() };
  const calendars = el("div"), detail = el("div", { class: "detail", "aria-live": "polite", hidden: true });
  const curves = el("div", { id: "chart" }), legend = el("ul", { class: "legend" }), ranged = el("div");

  const range = () => ({ first: job.first, from: Math.max(0, job.count - state.days), to: job.count - 1, skips: job.skips });
  let chosen = null;
  function choose(experiment, n, cell) {
    if (chosen) chosen.classList.remove("chosen");
    (chosen = cell).classList.add("chosen");
    detail.hidden = false;
    detail.replaceChildren(...dayDetail(job, experiment, n));
  }
  function drawCalendars() {
    const { from, to } = range();
    const grids = [...new Set(job.experiments.map((each) => each.grid))];
    calendars.replaceChildren(...grids.flatMap((grid) => [grid && el("h3", { class: "grid-name" }, `grid ${grid}`),
      el("div", { class: "calendars" }, job.experiments.filter((each) => each.grid === grid).map((each) => calendar(job, each, from, to, choose)))]).filter(Boolean));
  }
  function drawCurves() {
    const lines = job.experiments.map((each, place) => ({ name: each.name, place, values: (job.measures.values[each.name] || {})[state.measure] || [] }));
    legend.replaceChildren(...lines.map((line) => el("li", {}, el("button", { type: "button", "aria-pressed": String(!state.hidden.has(line.name)),
      onclick: () => { state.hidden.has(line.name) ? state.hidden.delete(line.name) : state.hidden.add(line.name); drawCurves(); } },
    el("i", { class: "swatch", style: { background: colour(line.place) } }), line.name))));
    curves.replaceChildren(chart(lines.filter((line) => !state.hidden.has(line.name)), { ...range(), marks: job.releases.published, label: `${state.measure} by day, one line an experiment` }));
    if (job.measures.groups.length) {
      const drawn = groupCharts(job, state.measure, range());
      const old = document.getElementById("groups");
      if (old) old.replaceWith(drawn); else groups.append(drawn);
    }
  }
  const groups = el("div"), compared = el("div");
  function drawRanged() { compared.replaceChildren(compareSection(job, range())); ranged.replaceChildren(el("div", { class: "grid two" }, volumeTable(job, range()), growthTable(job, range())), columnSection(job)); }

  const measure = el("select", { id: "measure", onchange: (event) => { state.measure = event.target.value; drawCurves(); } },
    job.measures.names.map((name) => el("option", { value: name, selected: name === state.measure }, name)));
  const span = el("select", { id: "range", onchange: (event) => { state.days = +event.target.value; drawCalendars(); drawCurves(); drawRanged(); } },
    RANGES.filter(([, count]) => count < job.count || count === 1e9).map(([name, count]) => el("option", { value: count, selected: count === state.days }, name)));

  const items = attention(job);
  page.append(tiles(job),
    items.length ? el("section", { id: "attention" }, el("h2", {}, "Needs attention"), el("ul", { class: "plain" }, items)) : "",
    el("section", { id: "calendar" }, el("div", { class: "bar" }, el("h2", {}, "Chains"), el("label", { for: "range" }, "show", span)), calendars, calendarKeys(), detail),
    job.measures.names.length ? el("section", { id: "curves" }, el("div", { class: "bar" }, el("h2", {}, "Measures by day"), el("label", { for: "measure" }, "measure", measure)), curves, legend,
      el("p", { class: "soft small" }, `Each point is the newest checkpoint before a day, tested on that day's rows${job.measures.lower_is_better.length ? `; ${job.measures.lower_is_better.join(", ")}: lower is better` : ""}${job.measures.best_near_1.length ? `; ${job.measures.best_near_1.join(", ")}: best near 1` : ""}. Grey bands are skipped days, triangles published releases.`)) : "",
    groups, compared, verdictTable(job), ranged, releaseSection(job), reportSection(job), ...closing(job).filter(Boolean));
  drawCalendars(); drawRanged();
  if (job.measures.names.length) drawCurves();
}

function dayDetail(job, experiment, n) {
  const day = dayOf(job.first, n), state = stateOf(job, experiment, n), parts = [];
  const failure = (job.failures[experiment.name] || {})[n];
  parts.push(el("p", {}, el("b", {}, `${experiment.name}, ${WEEKDAYS[weekday(day)]} ${day}: ${STATES[state] ? STATES[state][0] : ""}`)));
  if (job.skips[n]) parts.push(el("p", {}, job.skips[n]));
  if (experiment.why[n]) parts.push(el("p", {}, experiment.why[n]));
  if (failure) parts.push(el("p", {}, `${failure.stage}: ${failure.message}`));
  if (state === "m") parts.push(el("p", {}, "Nothing was trained and no skip is recorded."), command(`${job.pipeline} backfill --job ${job.job} --experiment ${experiment.name} --from ${day} --to ${day}`));
  if (experiment.rows[n] !== null) {
    const values = job.measures.names.map((name) => [name, ((job.measures.values[experiment.name] || {})[name] || [])[n]]).filter(([, value]) => value !== null && value !== undefined);
    parts.push(el("p", { class: "small" }, `${number(experiment.rows[n])} rows, from ${experiment.parents[n] || "scratch"}, loss ${number(experiment.loss[n])}`,
      values.length ? ` · the checkpoint before it on this day: ${values.map(([name, value]) => `${name} ${number(value)}`).join(", ")}` : ""));
  }
  const run = ((job.runs || {}).runs || {})[n], log = taskPath(job, n, `train_${experiment.name}`);
  const links = [reportLink(job, day), run && airflowLink(`/dags/${encodeURIComponent(job.dag_id)}/runs/${encodeURIComponent(run.run_id)}`, `run (${run.state})`), log && airflowLink(log, "task log")].filter(Boolean);
  if (links.length) parts.push(el("p", {}, links.flatMap((link) => [link, " · "]).slice(0, -1)));
  return parts;
}

function jobsPage(page) {
  page.append(header(null));
  if (!DATA.jobs.length) { page.append(el("section", {}, el("h2", {}, "No job is configured"), el("p", {}, `Put a job's YAML into ${DATA.conf}, then check it:`), command(`${DATA.pipeline} config check`))); return; }
  for (const job of DATA.pictures) {
    const link = el("a", { href: `?job=${encodeURIComponent(job.job)}` }, job.job);
    if (job.broken) { page.append(el("section", {}, el("h2", {}, link), broken(job))); continue; }
    page.append(el("section", {}, el("h2", {}, link), job.count ? tiles(job, `see ${job.job}`) : empty(job),
      job.count && job.measures.names.length ? el("div", {}, el("h3", {}, job.measures.primary), chart(job.experiments.map((each, place) => ({ name: each.name, place, values: (job.measures.values[each.name] || {})[job.measures.primary] || [] })),
        { first: job.first, from: Math.max(0, job.count - 91), to: job.count - 1, skips: job.skips, marks: job.releases.published, height: 180, label: `${job.measures.primary} of ${job.job} by day` }),
      el("p", { class: "keys" }, job.experiments.map((each, place) => el("span", {}, el("i", { class: "swatch", style: { background: colour(place) } }), each.name)))) : ""));
  }
}

const page = document.getElementById("page");
if (DATA.picture) jobPage(page, DATA.picture); else jobsPage(page);
document.documentElement.dataset.drawn = "true";
