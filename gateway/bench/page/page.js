// The page: what it says in which order. One record is the page; several are a chapter each, and compared at the end.

function definitions(pairs) {
  return element(
      "dl", {},
      ...Object.entries(pairs).map(
          ([name, text]) => element("div", {}, element("dt", {}, name), element("dd", {}, text))));
}

function section(look, level, title, said, ...children) {
  return element("section", {class: look}, element("h" + level, {}, title), element("p", {}, said), ...children);
}

function panel(title, ...children) {
  return element("figure", {class: "panel"}, element("figcaption", {}, title), ...children);
}

function panels(...children) { return element("div", {class: "panels"}, ...children); }

function legend() {
  const items = [...kParts, ["rest", "what is left of processor time"]].map(
      ([name, said]) =>
          element("li", {}, element("span", {class: "swatch part-" + name}), element("b", {}, name), " " + said));
  const mark = element(
      "li", {}, element("span", {class: "swatch tickmark"}), element("b", {}, "cpu"),
      " where the parts, which are wall-clock time, are more");
  return element("ul", {class: "legend"}, ...items, mark);
}

function hasParts(row) { return row.parts !== undefined && kParts.some(([name]) => row.parts[name] > 0); }

function partsSection(record, level) {
  const jobs = [...groups(record.rows, (row) => row.job)].filter(([, rows]) => rows.some(hasParts));
  if (jobs.length === 0) return [];
  const all = jobs.map(([job, rows]) => {
    const drawn = rows.filter((row) => partsOf(row).sum + partsOf(row).cpu > 0);
    return panel(job, barChart(`${job}: a request's time by its parts`, drawn.map(stackedBar)), partsNumbers(drawn));
  });
  return [section(
      "parts", level, "Where the time goes",
      "A request, split where it crosses into the script and back. " +
          "Each job has its own scale.",
      legend(), panels(...all))];
}

const kSaid = {
  cpu: "Processor time of the whole process for one request. The line on a bar is the 95 % interval of the median.",
  p50: "Median latency of one request. The line on a bar is the 95 % interval.",
  rate: "Requests in a second: more is better. The line on a bar is the 95 % interval.",
  memory: "What one idle connection holds. The line on a bar is the 95 % interval.",
};
const kTitles = {
  cpu: "Processor time",
  p50: "Median latency",
  rate: "Rate",
  memory: "Memory"
};

function firstFigure(row) { return Object.keys(kSaid).find((name) => row.figures[name]); }

// Each row by the first of its figures.
function barsSections(record, level) {
  const drawn = record.rows.filter(firstFigure);
  return [...groups(drawn, firstFigure)].map(([name, rows]) => {
    const all = [...byJob(rows)].map(
        ([job, those]) => panel(
            job || name, barChart(`${job}: ${name} with its interval`, those.map((row) => whiskerBar(row, name)))));
    return section("bars", level, kTitles[name], kSaid[name], panels(...all));
  });
}

function latencySection(record, level) {
  const rows = record.rows.filter(hasLatencies);
  if (rows.length === 0) return [];
  return [section(
      "latency", level, "Latency",
      "Share of calls by how long they took, and below it each row's " +
          "p50 (dot), p99, p99.9 and longest (bars).",
      ...latencyChart(rows))];
}

function curvesSection(record, level) {
  const drawn = record.curves.filter((curve) => seriesOf(curve).length > 0);
  if (drawn.length === 0) return [];
  return [section(
      "curves", level, "How it grows", "What a request costs as there is more of something.",
      panels(...drawn.map((curve) => panel(curve.name, curveChart(curve), curveNumbers(curve)))))];
}

function when(record) {
  return element("time", {datetime: record.created}, record.created.replace("T", " ").replace("Z", " UTC"));
}

function opening(record) {
  return [
    definitions({...record.machine, ...record.settings}), element("pre", {}, element("code", {}, record.command))
  ];
}

function sections(record, level) {
  const rows = record.rows.filter((row) => !isTarget(row));
  const table = rows.length === 0 ? [] : [section(
                                             "rows", level, `All rows (${rows.length})`,
                                             "A click on a column's name sorts by it; " +
                                                 "the small numbers are the 95 % interval of the median.",
                                             rowsTable(rows))];
  return [
    ...opening(record), ...targetsSection(record.rows.filter(isTarget), level), ...table,
    ...partsSection(record, level), ...barsSections(record, level),
    ...latencySection(record, level), ...curvesSection(record, level)
  ];
}

function onePage(record) {
  return [
    element("header", {}, element("h1", {}, "lingate bench " + record.kind), element("p", {}, when(record))),
    ...sections(record, 2)
  ];
}

function chapter(record, k) {
  return element(
      "article", {id: "record-" + letter(k)},
      element("h2", {}, element("span", {class: "letter"}, letter(k)), ` ${record.kind}, `, when(record)),
      ...sections(record, 3));
}

function pageOfSeveral(records) {
  const links = [
    ...records.map(
        (record, k) => element(
            "li", {}, element("a", {href: "#record-" + letter(k)}, `${letter(k)}: ${record.kind}, ${record.created}`))),
    element("li", {}, element("a", {href: "#comparison"}, "Comparison"))
  ];
  const compared = section(
      "comparison", 2, "Comparison",
      "Medians with their 95 % intervals. ~ is a difference inside the " +
          "noise: the intervals overlap.",
      comparison(records));
  compared.id = "comparison";
  return [
    element(
        "header", {}, element("h1", {}, `lingate bench: ${records.length} records`),
        element("nav", {"aria-label": "contents"}, element("ul", {}, ...links))),
    ...records.map(chapter), compared
  ];
}

function redrawAll() {
  for (const place of document.querySelectorAll(".chart"))
    redraw(place);
}

function show(records) {
  if (records.length === 1) document.title = `lingate bench ${records[0].kind} ${records[0].created}`;
  document.getElementById("page").append(...(records.length === 1 ? onePage(records[0]) : pageOfSeveral(records)));
  redrawAll();
  let waiting = 0;
  addEventListener("resize", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(redrawAll);
  });
  addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("details"))
      folded.open = true;
  });
}

show(JSON.parse(document.getElementById("records").textContent));
