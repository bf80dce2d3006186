// Curves: how a cost grows, one line a series, each with its name at its end.

const kHigh = 260, kBelow = 40;
const kNameFont = "600 12.5px", kWidestName = 120;

// Keeps texts a line apart from each other, each as near to its place as the ones above let it.
function spread(places, apart, top, bottom) {
  const sorted = places.slice().sort((a, b) => a.y - b.y);
  let free = top;
  for (const place of sorted) {
    place.y = Math.max(place.y, free);
    free = place.y + apart;
  }
  let most = bottom;
  for (const place of sorted.reverse()) {
    place.y = Math.min(place.y, most);
    most = place.y - apart;
  }
}

function seriesOf(curve) {
  return curve.series.map(({name, y}) => ({name, points: curve.x.slice(0, y.length).map((x, k) => [x, y[k]])}))
      .filter(({points}) => points.length > 0);
}

// Logarithmic where x spans more than two decades, and then y too if it does: elsewhere a straight line stays straight.
function curveScales(curve, series, left, right, bottom) {
  const xs = curve.x, ys = series.flatMap(({points}) => points.map(([, y]) => y));
  const low = Math.min(...xs), high = Math.max(...xs), most = Math.max(...ys);
  const even = zeroScale(most * 1.05, bottom, 8, 5);
  if (!spansDecades(xs)) return {x: linearScale(Math.min(low, 0), high, left, right, (right - left) / 60), y: even};
  return {
    x: logScale(low, high, left, right, 0),
    y: spansDecades(ys) ? logScale(Math.min(...ys), most * 1.1, bottom, 8, 7) : even
  };
}

function drawSeries(svg, {name, points}, scales, curve) {
  const look = colour(name);
  svg.append(
      shape("path", {class: "line " + look, d: pathOf(points.map(([x, y]) => [scales.x.at(x), scales.y.at(y)]))}));
  for (const [x, y] of points) {
    const said = `${name}: ${quantity(y, curve.unit)} at ${x} ${curve.name}`;
    svg.append(
        shape("circle", {class: "mark dot " + look, cx: scales.x.at(x), cy: scales.y.at(y), r: 3.5}, hint(said)));
  }
}

function drawNames(svg, series, scales, right, bottom) {
  const names = series.map(({name, points}) => ({name, y: scales.y.at(points.at(-1)[1])}));
  spread(names, 14, 8, bottom);
  for (const {name, y} of names)
    svg.append(shape(
        "text", {class: "name " + colour(name), x: right + 9, y: y + 4}, shortened(name, kWidestName, kNameFont)));
}

function curveChart(curve) {
  const series = seriesOf(curve);
  return chart(`${curve.name}: cost by ${series.map(({name}) => name).join(", ")}`, (width) => {
    const names = Math.max(...series.map(({name}) => textWidth(shortened(name, kWidestName, kNameFont), kNameFont)));
    const left = 58, right = width - Math.ceil(names) - 14, bottom = kHigh - kBelow;
    const scales = curveScales(curve, series, left, right, bottom);
    const svg = canvas(width, kHigh);
    drawBeside(svg, scales.y, tickTexts(scales.y.ticks, curve.unit, scales.y.high), left, right);
    drawBelow(svg, scales.x, scales.x.ticks.map((x) => x.toLocaleString("en")), bottom, bottom + 4);
    svg.append(
        shape("text", {class: "tick", x: (left + right) / 2, y: kHigh - 6, "text-anchor": "middle"}, curve.name));
    for (const each of series)
      drawSeries(svg, each, scales, curve);
    drawNames(svg, series, scales, right, bottom);
    return svg;
  });
}
