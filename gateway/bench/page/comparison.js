// Records beside each other, row by row. A difference is one only where the intervals leave each other out.

const kLower = 12, kMost = 0.1;

function letter(k) { return k < 26 ? String.fromCharCode(65 + k) : String(k + 1); }

function overlaps(a, b) { return a.low <= b.high && b.low <= a.high; }

// One row of the table: figures[k] of the record k, ratios to the first record's.
function comparedRows(records, name) {
  const byName = records.map((record) => new Map(record.rows.map((row) => [row.name, row.figures[name]])));
  const all = new Set(records.flatMap((record) => record.rows.map((row) => row.name)));
  return [...all]
      .map((row) => {
        const figures = byName.map((rows) => rows.get(row));
        const ratios = figures.map(
            (figure) => figure && figures[0] && figures[0].median > 0 ? figure.median / figures[0].median : undefined);
        return {
          name: row,
          figures,
          ratios,
          same: figures.map((figure) => figure && figures[0] && overlaps(figure, figures[0]))
        };
      })
      .filter(({figures}) => figures.filter(Boolean).length > 0);
}

// Of all but rates, less is better.
function judged(row, k, name) {
  if (row.ratios[k] === undefined) return "";
  if (row.same[k]) return "same";
  return (row.ratios[k] < 1) === (name !== "rate") ? "better" : "worse";
}

function percent(ratio) {
  const value = (ratio - 1) * 100;
  return (value < 0 ? "−" : "+") + Math.abs(value).toFixed(1) + kNoBreak + "%";
}

// A small bar from 1 to the left (less) or to the right (more); what is beyond the ends ends there.
function deviation(row, k, name, most) {
  const half = 50, part = Math.max(-1, Math.min(1, (row.ratios[k] - 1) / most)) * half;
  return shape(
      "svg", {
        viewBox: `0 0 ${2 * half} ${kLower}`,
        width: 2 * half,
        height: kLower,
        class: "deviation",
        role: "img",
        "aria-label": percent(row.ratios[k])
      },
      shape("rect", {
        class: "mark " + judged(row, k, name),
        x: half + Math.min(part, 0),
        y: 2,
        width: Math.abs(part),
        height: kLower - 4
      }),
      shape("path", {class: "whisker", d: `M${half} 0v${kLower}`}));
}

function ratioCell(row, k, name, most) {
  if (row.ratios[k] === undefined) return element("td", {class: "number"}, "–");
  const verdict = judged(row, k, name);
  const text = verdict === "same" ? "~" : percent(row.ratios[k]);
  return element(
      "td", {class: "number ratio " + verdict}, element("b", {}, text), " ",
      element("small", {}, digits(row.ratios[k]) + "×"), " ", deviation(row, k, name, most));
}

function comparedTable(records, name) {
  const rows = comparedRows(records, name);
  const changes =
      rows.flatMap(({ratios}) => ratios.filter((ratio) => ratio !== undefined).map((ratio) => Math.abs(ratio - 1)));
  const most = Math.max(kMost, Math.min(1, Math.max(0, ...changes)));
  const others = records.slice(1).map((_, k) => k + 1);
  const figureCell = (figure) => figure ?
      element(
          "td", {class: "number"}, quantity(figure.median, figure.unit), " ", element("small", {}, interval(figure))) :
      element("td", {class: "number"}, "–");
  const lines = rows.map(
      (row) => element(
          "tr", {class: others.every((k) => row.same[k]) ? "same" : undefined},
          element("th", {scope: "row", class: "name"}, row.name), ...others.map((k) => ratioCell(row, k, name, most)),
          ...row.figures.map(figureCell)));
  const heads = ["name", ...others.map((k) => letter(k) + " / A"), ...records.map((_, k) => letter(k))];
  return scrolling(
      `${name} of each record`,
      element(
          "table", {},
          element(
              "thead", {},
              element(
                  "tr", {},
                  ...heads.map((text, k) => element("th", {scope: "col", class: k === 0 ? "name" : "number"}, text)))),
          element("tbody", {}, ...lines)));
}

// Names of what the records do not share: their numbers may differ for that reason alone.
function unlike(records) {
  const differing = (member) =>
      Object.keys(records[0][member])
          .filter((key) => records.some((record) => record[member][key] !== records[0][member][key]));
  return [...differing("machine"), ...differing("settings")];
}

function comparison(records) {
  const has = (name) => records.filter((record) => record.rows.some((row) => row.figures[name])).length > 1;
  const names = ["cpu", "p50", "p99", "p99.9", "max", "rate"].filter(has);
  if (names.length === 0) return element("p", {}, "The records have no figure in common.");
  const place = element("div", {}, comparedTable(records, names[0]));
  const choice = element(
      "select", {change: (event) => place.replaceChildren(comparedTable(records, event.target.value))},
      ...names.map((name) => element("option", {value: name}, name)));
  const differing = unlike(records);
  const warning = differing.length > 0 ?
      [element("p", {class: "warning"}, "Not alike in the records: " + differing.join(", ") + ".")] :
      [];
  return element(
      "div", {}, ...warning, element("p", {class: "choice"}, element("label", {}, "figure ", choice)), place);
}
