// Horizontal bars: a request's cost split into its parts, and processor time with its interval.

const kParts = [
  ["encode", "the step and the call's bytes"],
  ["enter", "to the script's first line"],
  ["run", "the script"],
  ["exit", "to the verdict's bytes"],
  ["apply", "the verdict, and the step's end"],
];

const kBar = 16, kLabel = 16, kGap = 8, kAxis = 24;

// A bar: label, hint, text (at its end), unit, segments of value, look and hint; perhaps whisker [low, high] and mark.
function lengthOf(bar) {
  const end = bar.segments.reduce((sum, segment) => sum + segment.value, 0);
  return Math.max(end, bar.mark || 0, bar.whisker ? bar.whisker[1] : 0);
}

// Labels stand left of their bars, or above them where they would take more than a third.
function layoutOf(bars, width) {
  const labels = Math.max(...bars.map((bar) => textWidth(bar.label)));
  const above = labels > width / 3;
  const step = kBar + kGap + (above ? kLabel : 0);
  return {
    above,
    step,
    left: above ? 1 : Math.ceil(labels) + 10,
    right: width - Math.ceil(Math.max(...bars.map((bar) => textWidth(bar.text)))) - 10,
    bottom: bars.length * step,
    top: (k) => k * step + (above ? kLabel : 0) + kGap / 2,
  };
}

function labelOf(bar, layout, top, width) {
  const place = layout.above ? {x: layout.left, y: top - 4} : {x: layout.left - 8, y: top + 12, "text-anchor": "end"};
  return shape("text", {class: "label", ...place}, shortened(bar.label, width), hint(bar.hint));
}

function segmentsOf(bar, scale, top) {
  const made = [];
  let sum = 0;
  for (const {value, look, text, hint: said} of bar.segments) {
    const x = scale.at(sum);
    const wide = scale.at(sum += value) - x;
    if (wide <= 0) continue;
    const gap = wide > 3 && bar.segments.length > 1 ? 1 : 0;
    made.push(shape("rect", {class: "mark " + look, x, y: top, width: wide - gap, height: kBar}, hint(said)));
    const half = textWidth(text || "", "10.5px") / 2 + 3;
    const crossed = bar.mark && Math.abs(scale.at(bar.mark) - x - wide / 2) < half;
    if (text && wide > 2 * half && !crossed)
      made.push(shape("text", {class: "inside " + look, x: x + wide / 2, y: top + 12, "text-anchor": "middle"}, text));
  }
  return made;
}

function whiskerOf([low, high], scale, top) {
  const from = scale.at(low), to = scale.at(high), middle = top + kBar / 2;
  const caps = [from, to].map((x) => `M${x} ${middle - 4}v8`).join("");
  return shape("path", {class: "whisker", d: `M${from} ${middle}H${to}` + caps});
}

function markOf(value, scale, top) {
  return shape("path", {class: "whisker", d: `M${scale.at(value)} ${top - 2}v${kBar + 4}`});
}

function barChart(text, bars) {
  return chart(text, (width) => {
    const layout = layoutOf(bars, width);
    const scale =
        zeroScale(Math.max(...bars.map(lengthOf)), layout.left, layout.right, (layout.right - layout.left) / 60);
    const svg = canvas(width, layout.bottom + kAxis);
    drawBelow(svg, scale, tickTexts(scale.ticks, bars[0].unit, scale.high), 0, layout.bottom);
    bars.forEach((bar, k) => {
      const top = layout.top(k);
      svg.append(labelOf(bar, layout, top, width), ...segmentsOf(bar, scale, top));
      if (bar.whisker) svg.append(whiskerOf(bar.whisker, scale, top));
      if (bar.mark) svg.append(markOf(bar.mark, scale, top));
      svg.append(shape("text", {class: "value", x: scale.at(lengthOf(bar)) + 7, y: top + 12}, bar.text));
    });
    return svg;
  });
}

// What the parts leave of processor time is the rest. Parts are wall-clock time: with a thread they hold waiting, and
// may be more than processor time, which is then marked on the bar.
function partsOf(row) {
  const cpu = row.figures.cpu ? row.figures.cpu.median : 0;
  const parts = kParts.map(([name]) => ({name, value: Math.max(0, row.parts?.[name] || 0)}));
  const sum = parts.reduce((total, part) => total + part.value, 0);
  return {cpu, sum, parts: [...parts, {name: "rest", value: Math.max(0, cpu - sum)}]};
}

function stackedBar(row) {
  const {cpu, sum, parts} = partsOf(row);
  const segments = parts.map(({name, value}) => ({
                               value,
                               look: "part-" + name,
                               text: digits(value / multiple("ns", value)[1]),
                               hint: `${row.name}: ${name} ${quantity(value)}`,
                             }));
  return {
    label: shortName(row),
    hint: row.name,
    unit: "ns",
    text: quantity(Math.max(cpu, sum)),
    segments,
    mark: sum > cpu * 1.005 ? cpu : 0,
  };
}

function whiskerBar(row, name) {
  const figure = row.figures[name];
  const look = (row.runtime ? colour(row.runtime) : "c0") + (row.placement === "thread" ? " paler" : row.placement === "process" ? " palest" : "");
  const said = `${row.name}: ${name} ${quantity(figure.median, figure.unit)}, ${interval(figure)}`;
  return {
    label: shortName(row),
    hint: said,
    unit: figure.unit,
    text: quantity(figure.median, figure.unit),
    segments: [{value: figure.median, look, hint: said}],
    whisker: [figure.low, figure.high],
  };
}
