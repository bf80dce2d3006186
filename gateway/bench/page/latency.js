// Latencies: histograms of the chosen rows over each other, and below them, on the same axis, where their quantiles
// lie.

const kPerDecade = 40, kBells = 210, kStrip = 20;
const kQuantiles = ["p50", "p99", "p99.9", "max"];

// A bucket of a record is 1/32 of its octave wide: on a logarithmic axis they are unequal, so their counts are shared
// out to bins that are not.
function binned(histogram) {
  const bins = new Map();
  let before = 0, all = 0;
  for (const [upto, count] of histogram) {
    if (!(upto > 0 && count > 0)) continue;
    const octave = 2 ** (Math.ceil(Math.log2(upto)) - 1);
    const from = Math.log10(Math.max(before, upto - octave / 32, 0.5)) * kPerDecade, to = Math.log10(upto) * kPerDecade;
    before = upto;
    all += count;
    for (let bin = Math.floor(from); bin < to; ++bin) {
      const share = to > from ? (Math.min(bin + 1, to) - Math.max(bin, from)) / (to - from) : 1;
      bins.set(bin, (bins.get(bin) || 0) + count * share);
    }
  }
  for (const [bin, count] of bins)
    bins.set(bin, 100 * count / all);
  return bins;
}

function hasLatencies(row) { return (row.histogram || []).some(([upto, count]) => upto > 0 && count > 0); }

function edgeOf(bin) { return 10 ** (bin / kPerDecade); }

// Through the middles of the bins, from zero to zero; an empty bin is a zero as well.
function outline(bins, x, y) {
  const held = [...bins.keys()];
  const points = [];
  for (let bin = Math.min(...held) - 1; bin <= Math.max(...held) + 1; ++bin)
    points.push([x.at(edgeOf(bin + 0.5)), y.at(bins.get(bin) || 0)]);
  return points;
}

function drawBell(svg, {row, look, bins}, x, y) {
  const d = pathOf(outline(bins, x, y));
  svg.append(
      shape("path", {class: "mark area " + look, d: d + "Z"}, hint(row.name)),
      shape("path", {class: "line " + look, d}));
}

function drawQuantiles(svg, {row, look}, x, middle, left) {
  const known = kQuantiles.filter((name) => row.figures[name]);
  const values = known.map((name) => row.figures[name].median);
  if (values.length === 0) return;
  svg.append(shape(
      "line",
      {class: "line " + look, x1: x.at(Math.min(...values)), x2: x.at(Math.max(...values)), y1: middle, y2: middle}));
  known.forEach((name, k) => {
    const said = hint(`${row.name}: ${name} ${quantity(values[k])}`);
    const at = x.at(values[k]);
    if (name === "p50")
      svg.append(shape("circle", {class: "mark dot " + look, cx: at, cy: middle, r: 4.5}, said));
    else
      svg.append(shape("rect", {class: "mark " + look, x: at - 1.5, y: middle - 5, width: 3, height: 10}, said));
  });
}

function reachOf(chosen) {
  const values = chosen.flatMap(
      ({row, bins}) =>
          [edgeOf(Math.min(...bins.keys()) - 1), edgeOf(Math.max(...bins.keys()) + 2),
           ...kQuantiles.map((name) => row.figures[name]?.median).filter((value) => value > 0)]);
  return [Math.min(...values), Math.max(...values) * 1.05];
}

// Names of the strips stand above them where there is no room beside.
function drawStrips(svg, chosen, x, left, top, width) {
  chosen.forEach((each, k) => {
    const middle = top + k * kStrip * (left < 100 ? 1.7 : 1) + (left < 100 ? 22 : 8);
    const place = left < 100 ? {x: 2, y: middle - 9} : {x: left - 10, y: middle + 4, "text-anchor": "end"};
    svg.append(shape(
        "text", {class: "name " + each.look, ...place},
        shortened(each.row.name, left < 100 ? width : left - 16, kNameFont)));
    drawQuantiles(svg, each, x, middle, left);
  });
}

function drawLatency(width, chosen) {
  const names = Math.max(...chosen.map(({row}) => textWidth(row.name, kNameFont)));
  const left = names < width / 4 ? Math.max(Math.ceil(names) + 18, 100) : 44;
  const below = chosen.length * kStrip * (left < 100 ? 1.7 : 1);
  const svg = canvas(width, kBells + 12 + below + kAxis);
  const [low, high] = reachOf(chosen);
  const x = logScale(low, high, left, width - 6, (width - left) / 55);
  const most = Math.max(...chosen.flatMap(({bins}) => [...bins.values()]));
  const y = zeroScale(most * 1.05, kBells, 8, 4);
  drawBelow(svg, x, x.ticks.map((value) => tickTexts([value], "ns", value)[0]), 8, kBells + 12 + below);
  drawBeside(svg, y, y.ticks.map((value) => value + kNoBreak + "%"), left, width - 6);
  for (const each of chosen)
    drawBell(svg, each, x, y);
  drawStrips(svg, chosen, x, left, kBells + 8, width);
  return svg;
}

// Which rows a page opens with: those of one job, placed alike.
function firstChoice(rows) {
  const jobs = byJob(rows);
  const same = jobs.get("header") || jobs.values().next().value;
  const direct = same.filter((row) => row.placement === "inline");
  return new Set((direct.length > 0 ? direct : same).slice(0, 4));
}

// The runtime's own colour, or else the lowest that no chosen row has.
function freeColour(row, chosen) {
  const taken = new Set(chosen.values());
  const all = [...(row.runtime ? [colour(row.runtime)] : []), ...Array.from({length: 8}, (_, k) => "c" + k)];
  return all.find((each) => !taken.has(each)) || "c" + chosen.size % 8;
}

function choiceBox(row, chosen, changed) {
  const box = element("input", {type: "checkbox"});
  const swatch = element("span", {class: "swatch"});
  const show = () => {
    box.checked = chosen.has(row);
    swatch.className = "swatch " + (chosen.get(row) || "");
  };
  box.addEventListener("change", () => {
    if (box.checked)
      chosen.set(row, freeColour(row, chosen));
    else
      chosen.delete(row);
    show();
    changed();
  });
  show();
  return element("label", {title: row.name}, box, swatch, shortName(row));
}

function latencyChart(rows) {
  const chosen = new Map();
  for (const row of firstChoice(rows))
    chosen.set(row, freeColour(row, chosen));
  const place = chart(
      "latency histograms of the chosen rows",
      (width) => chosen.size === 0 ?
          canvas(width, kBells) :
          drawLatency(width, [...chosen].map(([row, look]) => ({row, look, bins: binned(row.histogram)}))));
  const choices = [...byJob(rows)].map(
      ([job, those]) => element(
          "fieldset", {}, element("legend", {}, job || "rows"),
          ...those.map((row) => choiceBox(row, chosen, () => redraw(place)))));
  return [place, element("div", {class: "choices"}, ...choices)];
}
