// The parts of a job's page beside calendars and curves.
const VERDICTS = { promote: "good", ok: "good", published: "good", keep: "warn", inconclusive: "warn", held: "warn", superseded: "soft", block: "bad", none: "soft" };
const verdict = (text) => (text ? chip(text, VERDICTS[text] || "soft") : "–");
const reportLink = (job, day) => job.reports.includes(day) && el("a", { href: `report/${encodeURIComponent(job.job)}/${day}` }, "report");
const newest = (values) => { for (let n = values.length - 1; n >= 0; n--) if (values[n] !== null && values[n] !== undefined) return n; return -1; };

function taskPath(job, n, task) {
  const run = ((job.runs || {}).runs || {})[n];
  return run ? `/dags/${encodeURIComponent(job.dag_id)}/runs/${encodeURIComponent(run.run_id)}/tasks/${encodeURIComponent(task)}` : null;
}

function tile(name, value, note) {
  return el("div", { class: "tile" }, el("span", { class: "name" }, name), el("b", {}, value), el("span", { class: "soft small" }, note));
}

function tiles(job, where = "see below") {
  const served = job.releases.served, last = job.count - 1;
  const states = job.experiments.filter((each) => !each.removed).map((each) => stateOf(job, each, last));
  const trained = states.filter((state) => state === "t" || state === "x").length;
  const said = job.verdicts.experiments.map((each) => each.verdict).filter(Boolean);
  const counts = [...new Set(said)].map((each) => `${each}: ${said.filter((other) => other === each).length} of ${said.length}`).join(", ");
  const open = attention(job).length;
  return el("div", { class: "tiles" },
    tile("Served", served ? served.experiment : "nothing yet", served ? `checkpoint of ${served.checkpoint_day}, contents of ${served.day}${job.releases.hold ? ", held" : ""}` : "no release was published"),
    tile("Newest day", job.last, String(last) in job.skips ? "skipped" : `${trained} of ${states.length} experiments trained`),
    tile("Gate", counts || "no verdict yet", job.verdicts.day ? `of ${job.verdicts.day}` : ""),
    tile("Needs attention", el("span", { class: open ? "bad" : "good" }, open ? `${open} item${open === 1 ? "" : "s"}` : "nothing"), open ? where : "no failure, no taint, no damage"));
}

function attention(job) {
  const items = [];
  const add = (kind, head, text, ...more) => items.push(el("li", {}, chip(head, kind), " ", text, more));
  if (job.problem) add("bad", "settings", job.problem);
  if (job.runs && job.runs.problem) add("warn", "Airflow", job.runs.problem);
  for (const each of job.failed_stages) add("bad", "failed", `${each.day}, stage ${each.stage}: ${each.message}`, logLink(job, numberOf(job.first || each.day, each.day), each.stage));
  for (const experiment of job.experiments) {
    const failed = Object.entries(job.failures[experiment.name] || {}).filter(([, each]) => each.stage === "experiment");
    for (const [n, each] of failed) add("bad", "failed", `${dayOf(job.first, +n)}, ${experiment.name}: ${each.message}`, logLink(job, +n, `train_${experiment.name}`));
    const noted = new Set(failed.map(([n]) => +n));
    for (let n = 0; n < job.count; n++) {
      if (stateOf(job, experiment, n) === "f" && !noted.has(n) && ((job.runs.tasks || {})[n] || {})[`train_${experiment.name}`] === "failed") add("bad", "failed", `${dayOf(job.first, n)}, ${experiment.name}: its task failed`, logLink(job, n, `train_${experiment.name}`));
    }
    if (experiment.tainted) {
      const [n, why] = Object.entries(experiment.why)[0];
      add("warn", "tainted", `${experiment.name}: ${days(experiment.tainted)} from ${dayOf(job.first, +n)} on (${why})`, experiment.rechain && command(experiment.rechain));
    }
  }
  for (const each of job.verdicts.experiments) {
    if (each.verdict === "block") add("bad", "block", `${job.verdicts.day}, ${each.name}: ${each.reasons.join("; ")}`);
    if (each.check && each.check !== "ok") add("bad", "check", `${job.verdicts.day}, ${each.name}: ${each.check_reasons.join("; ")}`);
  }
  if (job.releases.hold) add("warn", "held", `rolled back from ${job.releases.hold.left}: ${job.releases.hold.reason}`, command(job.releases.release_hold));
  if (job.releases.served && job.releases.served.behind_days > 2) add("warn", "stale", `the served contents are ${days(job.releases.served.behind_days)} behind the newest day`);
  for (const each of job.volumes) {
    const n = newest(each.rows);
    if (n >= 0 && each.usual[n] && (each.rows[n] < 0.5 * each.usual[n] || each.rows[n] > 2 * each.usual[n])) add("warn", "volume", `${each.table} of ${dayOf(job.first, n)}: ${number(each.rows[n])} rows, usually ${number(each.usual[n])} on that weekday`);
  }
  for (const each of job.columns.changes) {
    if (each.day === job.columns.day) for (const text of each.texts) add("warn", "columns", `${each.day}, ${text}`);
  }
  for (const each of job.columns.standing) add("warn", "columns", each);
  if (job.damaged.length) add("bad", "damaged", `${job.damaged.length} artefact${job.damaged.length === 1 ? " is" : "s are"} damaged or half-written and left out here; listed at the end of this page`);
  return items;
}

function logLink(job, n, task) {
  const path = taskPath(job, n, task);
  return path ? [" ", airflowLink(path, "log")] : null;
}

function verdictTable(job) {
  const { names, primary, values } = job.measures, n = job.verdicts.day ? numberOf(job.first, job.verdicts.day) : -1;
  const before = (list) => { for (let i = n - 1; i >= 0; i--) if (list[i] !== null && list[i] !== undefined) return list[i]; return null; };
  const rows = job.verdicts.experiments.map((each) => {
    const list = names.length && values[each.name] ? values[each.name][primary] : [];
    return [each.name, verdict(each.verdict), each.reasons.join("; ") || el("span", { class: "soft" }, "not judged on this day"), number(list[n]), number(before(list)), verdict(each.check), each.check_reasons.join("; ")];
  });
  return el("section", { id: "verdicts" }, el("h2", {}, `Verdicts of ${job.verdicts.day || "the newest day"}`),
    rows.length ? table(["experiment", "gate", "why", primary, "day before", "export", ""], rows, [3, 4], [2]) : el("p", { class: "soft" }, "No checkpoint has met a later day yet: the first verdict comes with the next day of data."));
}

function groupCharts(job, measure, range) {
  const lines = (group) => job.experiments.map((each, place) => ({ name: each.name, place, values: (group.values[each.name] || {})[measure] || [] }));
  return el("section", { id: "groups" }, el("h2", {}, `Groups apart: ${measure}`), el("div", { class: "grid three" }, job.measures.groups.map((group) =>
    el("div", {}, el("h3", {}, group.name), chart(lines(group), { ...range, height: 170, label: `${measure} of ${group.name} by day`, hint: false })))));
}

// Experiments against the first of them on the same rows, as the newest report found them.
function compareSection(job, range) {
  const found = job.comparison;
  if (!found) return "";
  const words = { better: "good", worse: "bad", "cannot tell": "soft" }, signed = (value) => `${value < 0 ? "−" : "+"}${number(Math.abs(value))}`;
  const rows = found.rows.map((each) => [each.experiment, number(each.days), number(each.first), number(each.value),
    each.difference === null ? "–" : signed(each.difference), each.difference === null ? "–" : `${signed(each.low)} … ${signed(each.high)}`, chip(each.verdict, words[each.verdict])]);
  const places = Object.fromEntries(job.experiments.map((each, place) => [each.name, place]));
  const lines = Object.entries(found.differences).map(([name, values]) => ({ name, values, place: places[name] ?? 0 }));
  const zero = { name: found.first, values: new Array(job.count).fill(0), place: places[found.first] ?? 0, dashed: true };
  return el("section", { id: "comparison" }, el("h2", {}, `${found.measure} against ${found.first}, on the same rows`),
    table(["experiment", "days", found.first, "its own", "better by", `${Math.round(100 * found.confidence)} % interval${found.rows.length > 1 ? ` of all ${found.rows.length}` : ""}`, ""], rows, [1, 2, 3, 4, 5]),
    el("p", { class: "soft small" }, `Tested days from ${found.from} to ${found.to}, as of the newest report. The curves: better by, day by day. Other measures, days and groups:`),
    command(`${job.pipeline} compare --job ${job.job}`),
    chart([zero, ...lines], { ...range, height: 200, label: `${found.measure}: better than ${found.first} by, day by day` }));
}

function volumeTable(job, range) {
  const n = Math.max(-1, ...job.volumes.map((each) => newest(each.rows)));
  const rows = job.volumes.map((each) => {
    const usual = n >= 0 ? each.usual[n] : null, share = usual && each.rows[n] !== null ? each.rows[n] / usual : null;
    return [each.table, number(n >= 0 ? each.rows[n] : null), number(usual),
      share === null ? "–" : el("span", { class: share < 0.5 || share > 2 ? "bad" : null }, `${Math.round(100 * share)} %`),
      number(n >= 0 ? each.quarantined[n] : null), sparkline(each.rows.slice(range.from, range.to + 1), each.usual.slice(range.from, range.to + 1))];
  });
  return el("section", { id: "volumes" }, el("h2", {}, n < 0 ? "Rows extracted" : `Rows extracted on ${dayOf(job.first, n)}, against the same weekday`),
    table(["table", "rows", "usual", "share", "quarantined", "by day (dashed: usual)"], rows, [1, 2, 3, 4]));
}

function columnSection(job) {
  if (!job.columns.changes.length) return "";
  return el("section", { id: "columns" }, el("h2", {}, "Columns that changed, and wild values"),
    table(["day", "what is other than on the days before"], job.columns.changes.map((each) => [each.day, each.texts.join("; ")]), [], [1]));
}

function growthTable(job, range) {
  const rows = job.growth.map((each) => {
    const n = newest(each.sizes);
    return [each.space, number(n >= 0 ? each.sizes[n] : null), each.new ? `+${number(each.new)}` : "0", sparkline(each.sizes.slice(range.from, range.to + 1), null, "var(--c3)")];
  });
  return el("section", { id: "growth" }, el("h2", {}, "Id maps"), table(["space", "size", "new on the newest day", "growth"], rows, [1, 2]));
}

function releaseSection(job) {
  const { served, history, champions, ledger } = job.releases;
  const rows = history.slice(0, 12).map((each) => [each.day, each.experiment || "–", each.checkpoint_day || "–", verdict(each.status), each.rolled_back ? "rolled back" : each.by || "", [each.why, ...each.reasons].filter(Boolean).join("; ")]);
  return el("section", { id: "releases" }, el("h2", {}, "Releases"),
    served ? el("p", {}, "Served: ", el("b", {}, served.release_id), `, version ${served.version}, ${served.age_days === null ? "" : `its checkpoint ${days(served.age_days)} older than its contents`}`) : el("p", { class: "soft" }, "Nothing is served yet."),
    job.releases.rollback && el("div", {}, el("span", { class: "soft small" }, "Serve the release before it again, and hold it:"), command(job.releases.rollback)),
    champions.length ? el("p", { class: "small soft" }, "Champions: ", champions.map((each) => `${each.experiment} from ${each.day} on (${each.by})`).join(", ")) : null,
    ledger.length ? [el("h3", {}, "What was served, newest first"), table(["since", "what", "release", "by", "why"], ledger.slice(0, 12).map((each) => [el("span", { title: `${each.at} (UTC)` }, each.at.slice(0, 16).replace("T", " ")), each.what, each.release_id, each.by, each.why]), [], [4])] : null,
    rows.length ? [el("h3", {}, "What each day released"), table(["day", "experiment", "checkpoint", "what came of it", "by", "why"], rows, [], [5])] : null,
    job.releases.count > 12 ? el("p", { class: "small soft" }, `and ${job.releases.count - 12} earlier ones`) : null);
}

function reportSection(job) {
  const list = [...job.reports].reverse();
  const link = (day) => el("a", { href: `report/${encodeURIComponent(job.job)}/${day}` }, day);
  return el("section", { id: "reports" }, el("h2", {}, "Reports of the days"),
    list.length ? el("div", { class: "reports" }, list.slice(0, 28).map(link)) : el("p", { class: "soft" }, "None was written yet."),
    list.length > 28 ? el("details", {}, el("summary", {}, `${list.length - 28} earlier ones`), el("div", { class: "reports" }, list.slice(28).map(link))) : null);
}

function closing(job) {
  const total = Object.values(job.bytes).reduce((sum, each) => sum + each, 0);
  const sizes = Object.entries(job.bytes).map(([kind, bytes]) => `${kind} ${size(bytes)}`).join(", ");
  return [job.damaged.length ? el("section", { id: "damaged" }, el("h2", {}, "Damaged or half-written, and left out"),
    el("ul", { class: "plain" }, job.damaged.map((each) => el("li", {}, el("code", {}, each.path), el("br"), el("span", { class: "soft small" }, each.problem))))) : null,
  el("p", { class: "soft small" }, total ? `On disk, of the current generations: ${size(total)} (${sizes}).` : "")];
}

// In place of a job that cannot be drawn.
function broken(job) {
  return el("div", { class: "broken" }, el("p", {}, chip("cannot be drawn", "bad"), " ", job.broken),
    el("p", {}, "The log of Airflow's API server says where. What is damaged is found, without this page, by"), command(`${job.pipeline} audit --job ${job.job}`));
}

function empty(job) {
  return el("section", { id: "empty" }, el("h2", {}, "No day has been trained yet"), el("p", {}, "Train the first days:"),
    command(`${job.pipeline} backfill --job ${job.job} --from YYYY-MM-DD --to YYYY-MM-DD`),
    el("p", {}, "or let Airflow do it, day after day: open ", airflowLink(`/dags/${job.dag_id}`, `the DAG ${job.dag_id}`), ", create a backfill (Trigger → Backfill), then unpause it."),
    DATA.demo && [el("p", {}, "To look at a filled one first: "), command(DATA.demo)],
    el("p", { class: "soft small" }, `Artefacts are read from ${DATA.root}; set DAYSPRING_ROOT for Airflow if they lie elsewhere. This tests the sources:`), command(`${job.pipeline} doctor --job ${job.job}`));
}
