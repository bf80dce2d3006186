"use strict";

// Elements, and numbers as texts. What comes from a record becomes text nodes and attributes' values, never markup.

const kSvg = "http://www.w3.org/2000/svg";  // a name, nothing that is fetched

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function")
      made.addEventListener(name, value);
    else if (value !== undefined)
      made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function element(name, attributes, ...children) { return filled(document.createElement(name), attributes, children); }

function shape(name, attributes, ...children) {
  return filled(document.createElementNS(kSvg, name), attributes, children);
}

// A hint that browsers show beside the pointer and screen readers read out.
function hint(text) { return shape("title", {}, text); }

const kUnits = {
  "ns": [["ns", 1], ["µs", 1e3], ["ms", 1e6], ["s", 1e9]],
  "B": [["B", 1], ["kB", 1e3], ["MB", 1e6], ["GB", 1e9]],
  "1/s": [["/s", 1], ["k/s", 1e3], ["M/s", 1e6]],
};

function rounded(value) { return Number(value.toPrecision(3)); }

// Three significant digits, zeros at the end included.
function digits(value) {
  const near = rounded(value);
  if (near === 0) return "0";
  const before = Math.floor(Math.log10(Math.abs(near))) + 1;
  return near.toFixed(Math.min(Math.max(3 - before, 0), 4));
}

// The largest of a unit's multiples that leaves something before the point: [name, factor].
function multiple(unit, value) {
  const all = Object.hasOwn(kUnits, unit) ? kUnits[unit] : [[unit, 1]];
  return all.findLast(([, factor]) => rounded(Math.abs(value)) >= factor) || all[0];
}

const kNoBreak = "\u00a0";

function quantity(value, unit = "ns") {
  const [name, factor] = multiple(unit, value);
  return digits(value / factor) + kNoBreak + name;
}

// "1.20 – 1.26 µs", in the unit of the value that they enclose.
function interval(figure) {
  const [name, factor] = multiple(figure.unit, figure.median);
  return digits(figure.low / factor) + "\u2009–\u2009" + digits(figure.high / factor) + kNoBreak + name;
}

// Texts of an axis's ticks, all in the unit of the largest.
function tickTexts(values, unit, most) {
  const [name, factor] = multiple(unit, most);
  return values.map((value) => value === 0 ? "0" : rounded(value / factor) + kNoBreak + name);
}

const pen = document.createElement("canvas").getContext("2d");

function textWidth(text, font = "12px") {
  pen.font = font + " system-ui, sans-serif";
  return pen.measureText(text).width;
}

function shortened(text, width, font) {
  if (textWidth(text, font) <= width) return text;
  let length = text.length;
  while (length > 1 && textWidth(text.slice(0, length) + "…", font) > width)
    --length;
  return text.slice(0, length) + "…";
}

// By key, in the order in which the keys first come.
function groups(items, keyOf) {
  const found = new Map();
  for (const item of items) {
    const key = keyOf(item);
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(item);
  }
  return found;
}

// Rows of one job share a chart; where every job has a single row, all do.
function byJob(rows) {
  const jobs = groups(rows, (row) => row.job);
  return jobs.size < rows.length ? jobs : new Map([["", rows]]);
}

// Who has which colour stays the same over the page. Names that are not known here take the remaining colours in turns;
// lingate beside other gateways has the colour of its language.
const kColours = new Map([["lua", 0], ["python", 1], ["js", 2], ["echo", 3], ["native", 7]]);
const kOthers = [4, 5, 6];

function colour(name) {
  const known = name.replace(/^lingate-/, "");
  if (!kColours.has(known)) kColours.set(known, kOthers[(kColours.size - 5) % kOthers.length]);
  return "c" + kColours.get(known);
}

// What a row is called inside a group of its job.
function shortName(row) { return [row.runtime, row.placement].filter(Boolean).join("/") || row.name; }
