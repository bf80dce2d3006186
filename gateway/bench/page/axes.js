// Scales, their ticks, and the empty chart that they are drawn on. A chart is drawn for the width that it has and drawn
// anew when that changes, so texts keep their size on every screen.

// A place for the chart that draw(width) makes; the text says what it shows. An event "redraw" draws it anew.
function chart(text, draw) {
  const redraw = (event) => {
    const place = event.target;
    if (place.clientWidth === 0) return;
    place.replaceChildren(filled(draw(place.clientWidth), {role: "img", "aria-label": text}, []));
  };
  return element("div", {class: "chart", redraw});
}

function redraw(place) { place.dispatchEvent(new Event("redraw")); }

function canvas(width, height) { return shape("svg", {viewBox: `0 0 ${width} ${height}`, width, height}); }

function niceStep(span, wanted) {
  const rough = span / Math.max(wanted, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
}

// From zero, as bars have to; `high` is the end of the axis.
function zeroScale(most, start, end, wanted) {
  const high = most > 0 ? most : 1;
  const step = niceStep(high, wanted);
  const ticks = [];
  for (let k = 0; k * step <= high * 1.0001; ++k)
    ticks.push(rounded(k * step));
  return {at: (value) => start + (end - start) * Math.max(value, 0) / high, ticks, high};
}

function linearScale(low, high, start, end, wanted) {
  const span = high - low || 1;
  const step = niceStep(span, wanted);
  const ticks = [];
  for (let k = Math.ceil(low / step); k * step <= high * 1.0001; ++k)
    ticks.push(rounded(k * step));
  return {at: (value) => start + (end - start) * (value - low) / span, ticks, high};
}

// `low` and `high` are above zero; what is below `low` is drawn at it. Decades are ticks even where fewer are wanted.
function logScale(low, high, start, end, wanted) {
  const span = Math.log10(high / low) || 1;
  const at = (value) => start + (end - start) * Math.log10(Math.max(value, low) / low) / span;
  const factors = wanted >= span * 2.5 ? [1, 2, 5] : [1];
  const ticks = [];
  for (let decade = Math.floor(Math.log10(low)); decade <= Math.log10(high) + 0.001; ++decade)
    for (const factor of factors) {
      const value = rounded(factor * 10 ** decade);
      if (value >= low * 0.999 && value <= high * 1.001) ticks.push(value);
    }
  return {at, ticks, high};
}

function spansDecades(values) {
  const low = Math.min(...values);
  return low > 0 && Math.max(...values) / low > 100;
}

// Texts that would touch the one before are left out.
function drawBelow(svg, scale, texts, top, bottom) {
  const room = svg.viewBox.baseVal.width;
  let free = -Infinity;
  scale.ticks.forEach((value, k) => {
    const x = scale.at(value);
    svg.append(shape("line", {class: value === 0 ? "axis" : "grid", x1: x, x2: x, y1: top, y2: bottom}));
    const half = textWidth(texts[k], 11) / 2;
    const middle = Math.min(Math.max(x, half), room - half);
    if (middle - half < free) return;
    free = middle + half + 8;
    svg.append(shape("text", {class: "tick", x: middle, y: bottom + 15, "text-anchor": "middle"}, texts[k]));
  });
}

function drawBeside(svg, scale, texts, left, right) {
  scale.ticks.forEach((value, k) => {
    const y = scale.at(value);
    svg.append(
        shape("line", {class: value === 0 ? "axis" : "grid", x1: left, x2: right, y1: y, y2: y}),
        shape("text", {class: "tick", x: left - 6, y: y + 4, "text-anchor": "end"}, texts[k]));
  });
}

function pathOf(points) {
  return points.map(([x, y], k) => (k === 0 ? "M" : "L") + x.toFixed(1) + " " + y.toFixed(1)).join("");
}
