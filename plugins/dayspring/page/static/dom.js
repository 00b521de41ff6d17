// Building blocks: elements without innerHTML, numbers and days as text.
const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(node.style, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child);
  }
  return node;
}

const el = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
const svg = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

const DAY = 86400000, ISO = /^\d{4}-\d{2}-\d{2}$/;
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const at = (text) => new Date(text + "T00:00:00Z");
const dayOf = (first, number) => new Date(at(first).getTime() + number * DAY).toISOString().slice(0, 10);
const numberOf = (first, day) => Math.round((at(day) - at(first)) / DAY);
const weekday = (day) => (at(day).getUTCDay() + 6) % 7;
const days = (count) => `${count} day${count === 1 ? "" : "s"}`;

function number(value) {
  if (value === null || value === undefined) return "–";
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return Math.abs(value) >= 100 ? value.toFixed(1) : value.toFixed(4);
}

function size(bytes) {
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (bytes < 1000 || unit === "GB") return `${unit === "B" ? bytes : bytes.toFixed(1)} ${unit}`;
    bytes /= 1000;
  }
}

const colour = (place) => `var(--c${(place % 8) + 1})`;
const dash = (place) => (place < 8 ? null : `${2 + 2 * Math.floor(place / 8)} 3`);
const chip = (text, kind) => el("span", { class: `chip ${kind}` }, text);

// numeric: columns of numbers; texts: columns of prose, which need some width
function table(head, rows, numeric = [], texts = []) {
  const cls = (place) => (numeric.includes(place) ? "n" : texts.includes(place) ? "why" : null);
  return el("div", { class: "wide" }, el("table", {},
    el("thead", {}, el("tr", {}, head.map((text, place) => el("th", { class: cls(place), scope: "col" }, text)))),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map((cell, place) => el("td", { class: cls(place) || (ISO.test(cell) ? "day" : null) }, cell)))))));
}

function command(text) {
  const copied = el("button", { type: "button", "aria-label": `Copy: ${text}` }, "Copy");
  copied.addEventListener("click", async () => {
    try { await navigator.clipboard.writeText(text); } catch {
      // Without https or localhost there is no clipboard to write to: select the text instead.
      const range = document.createRange();
      range.selectNodeContents(copied.previousSibling);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      copied.textContent = document.execCommand("copy") ? "Copied" : "Press Ctrl+C";
      return;
    }
    copied.textContent = "Copied";
    setTimeout(() => { copied.textContent = "Copy"; }, 1500);
  });
  return el("div", { class: "command" }, el("code", {}, text), copied);
}

// Inside Airflow's UI this page is a frame that may not navigate its window: the link is followed by the window itself.
function airflowLink(path, text) {
  const link = el("a", { href: DATA.airflow + path }, text);
  link.addEventListener("click", (event) => {
    if (window.parent === window || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const outer = window.parent.document.createElement("a");
    outer.href = link.href;
    outer.click();
  });
  return link;
}
