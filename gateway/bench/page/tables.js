// Tables: all rows of a record, the numbers behind a chart, and records beside each other.

// Cells of a column: text(row), perhaps note(row) in small, value(row) to sort by; look is the class of all its cells.
function cellOf(column, row, k) {
  const note = column.note && column.note(row);
  const cell =
      element(k === 0 ? "th" : "td", {class: column.look, scope: k === 0 ? "row" : undefined}, column.text(row));
  if (note) cell.append(" ", element("small", {}, note));
  return cell;
}

function ordered(rows, column, downwards) {
  const known = rows.filter((row) => column.value(row) !== undefined);
  const compare = (a, b) => typeof a === "string" ? a.localeCompare(b, "en", {numeric: true}) : a - b;
  known.sort((a, b) => compare(column.value(a), column.value(b)) * (downwards ? -1 : 1));
  return [...known, ...rows.filter((row) => column.value(row) === undefined)];
}

function headOf(column, sort) {
  const head = element("th", {class: column.look, scope: "col", "aria-sort": "none"});
  head.append(element("button", {type: "button", title: column.title, click: () => sort(column, head)}, column.name));
  return head;
}

function sortableTable(caption, columns, rows, lookOf = () => undefined) {
  const body = element("tbody", {});
  const show = (sorted) => body.replaceChildren(...sorted.map(
      (row) => element("tr", {class: lookOf(row)}, ...columns.map((column, k) => cellOf(column, row, k)))));
  const sort = (column, head) => {
    const downwards = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentNode.children)
      other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", downwards ? "descending" : "ascending");
    show(ordered(rows, column, downwards));
  };
  show(rows);
  const heads = element("tr", {}, ...columns.map((column) => headOf(column, sort)));
  return scrolling(caption, element("table", {}, element("thead", {}, heads), body));
}

// What is wider than the screen is scrolled in its own frame, by keyboard too.
function scrolling(caption, table) {
  table.prepend(element("caption", {class: "unseen"}, caption));
  return element("div", {class: "scrolling", role: "region", "aria-label": caption, tabindex: "0"}, table);
}

function figureColumn(name, withInterval) {
  return {
    name,
    look: "number",
    title: `sort by ${name}`,
    text: (row) => row.figures[name] ? quantity(row.figures[name].median, row.figures[name].unit) : "–",
    note: withInterval ? (row) => row.figures[name] && interval(row.figures[name]) : undefined,
    value: (row) => row.figures[name]?.median,
  };
}

function rowsTable(rows) {
  const has = (name) => rows.some((row) => row.figures[name]);
  const name = {name: "name", look: "name", title: "sort by name", text: (row) => row.name, value: (row) => row.name};
  const calls = {
    name: "calls",
    look: "number",
    title: "sort by calls",
    text: (row) => row.calls.toLocaleString("en"),
    value: (row) => row.calls
  };
  const figures = ["cpu", "p50", "p99", "p99.9", "max", "rate", "memory"].filter(has);
  return sortableTable(
      "all rows", [name, ...figures.map((each) => figureColumn(each, each === "cpu" || each === "rate")), calls], rows);
}

// The numbers of a chart, folded away; printing unfolds them.
function numbers(heads, lines) {
  const cells = (line) =>
      line.map((text, k) => element(k === 0 ? "th" : "td", {scope: k === 0 ? "row" : undefined}, text));
  const table = element(
      "table", {}, element("thead", {}, element("tr", {}, ...heads.map((text) => element("th", {scope: "col"}, text)))),
      element("tbody", {}, ...lines.map((line) => element("tr", {}, ...cells(line)))));
  return element("details", {}, element("summary", {}, "numbers"), scrolling("numbers", table));
}

function partsNumbers(rows) {
  const names = [...kParts.map(([name]) => name), "rest"];
  const lines = rows.map((row) => {
    const {cpu, parts} = partsOf(row);
    return [
      shortName(row), ...parts.map(({value}) => value > 0 ? quantity(value) : "–"), cpu > 0 ? quantity(cpu) : "–"
    ];
  });
  return numbers(["", ...names, "cpu"], lines);
}

function curveNumbers(curve) {
  const series = seriesOf(curve);
  const lines = curve.x.map(
      (x, k) =>
          [x.toLocaleString("en"), ...series.map(({points}) => points[k] ? quantity(points[k][1], curve.unit) : "–")]);
  return numbers([curve.name, ...series.map(({name}) => name)], lines);
}
