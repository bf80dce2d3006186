// What was to be reached: rows of the job "targets" hold a value, perhaps a reference and their ratio, a bar and a goal.

function isTarget(row) { return row.job === "targets" && row.figures.value !== undefined; }

function judgedFigure(row) { return row.figures.ratio || row.figures.value; }

// Ratios are judged as they are shown: with two digits.
function holds(row, name) {
  const limit = row.figures[name];
  const {median} = judgedFigure(row);
  return limit !== undefined && (row.figures.ratio ? Math.round(median * 100) / 100 : median) <= limit.median;
}

// "goal", "bar" or "no"; empty where nothing was promised, or where the reference is missing.
function met(row) {
  const {bar, goal, ratio} = row.figures;
  if ((!bar && !goal) || ((bar || goal).unit === "×" && !ratio)) return "";
  if (holds(row, "goal")) return "goal";
  return holds(row, "bar") ? "bar" : bar ? "no" : "";
}

function lookOfTarget(row) { return {goal: "better", bar: "better paler", no: "worse"}[met(row)] || "same"; }

function targetsTable(rows) {
  const columns = ["value", "reference", "ratio"].map((name) => figureColumn(name, name === "ratio"));
  const limits = ["bar", "goal"].map((name) => figureColumn(name, false));
  const nameOf = (row) => row.name;
  const name = {name: "figure", look: "name", title: "sort by figure", text: nameOf, value: nameOf};
  const metOrNot = (row) => met(row) || undefined;
  const verdict = {name: "met", look: "", title: "sort by what is met", text: met, value: metOrNot};
  return sortableTable("targets", [name, ...columns, ...limits, verdict], rows);
}

function targetBar(row) {
  const {ratio, bar} = row.figures;
  const verdict = met(row) ? `, met: ${met(row)}` : "";
  const said = `${row.name}: ${quantity(ratio.median, "×")}, ${interval(ratio)}${verdict}`;
  return {
    label: row.name,
    hint: said,
    unit: "×",
    text: quantity(ratio.median, "×"),
    segments: [{value: ratio.median, look: lookOfTarget(row), hint: said}],
    whisker: [ratio.low, ratio.high],
    mark: bar ? bar.median : 0,
  };
}

function targetsSection(rows, level) {
  if (rows.length === 0) return [];
  const withRatio = rows.filter((row) => row.figures.ratio);
  const drawn = withRatio.length === 0 ?
      [] :
      [panel("ratio", barChart("ratio of each target, with its bar", withRatio.map(targetBar)))];
  return [section(
      "targets", level, "Targets",
      "lingate beside each reference, in the same run; less is better. A bar has to hold, a goal is where it is to go. " +
          "In the chart an upright line is the bar, a lying one the 95 % interval.",
      targetsTable(rows), ...drawn)];
}
