/* The week editor without a trip to the server: rows that come and go, Monday copied, bars that
   follow what is typed. Without this script its buttons draw the page anew. */
(() => {
  "use strict";
  const MOST_ROWS = 4;
  const DAY = 1440;
  const SVG = "http://www.w3.org/2000/svg";

  const rowsOf = (day) => [...day.querySelectorAll("[data-week-row]")];
  const timesOf = (row) => [...row.querySelectorAll("input")];
  const daysOf = (week) => [...week.querySelectorAll("[data-week-day]")];
  const isClosed = (day) => Boolean(day.querySelector("input[type=checkbox]:checked"));

  function minutes(time) {
    const [hour, minute] = time.split(":").map(Number);
    return hour * 60 + minute;
  }

  function spansOf(day) {
    if (isClosed(day)) return [];
    return rowsOf(day)
      .map(timesOf)
      .filter(([opens, closes]) => opens.value && closes.value)
      .map(([opens, closes]) => [minutes(opens.value), minutes(closes.value)])
      .map(([opens, closes]) => [opens, closes > opens ? closes : closes + DAY]);
  }

  /* Nights reach into the next day, whatever day the reader's week begins with. */
  function draw(week) {
    const days = daysOf(week).filter((day) => day.querySelector("[data-week-bar]"));
    const spans = days.map(spansOf);
    days.forEach((day, position) => {
      const bar = day.querySelector("[data-week-bar]");
      const night = spans[(position + days.length - 1) % days.length]
        .filter(([, closes]) => closes > DAY)
        .map(([, closes]) => [0, closes - DAY]);
      bar.querySelectorAll("rect").forEach((rect) => rect.remove());
      for (const [opens, closes] of [...night, ...spans[position]]) {
        const rect = document.createElementNS(SVG, "rect");
        const size = { x: opens, y: 0, width: Math.min(closes, DAY) - opens, height: 10 };
        Object.entries(size).forEach(([name, value]) => rect.setAttribute(name, value));
        bar.append(rect);
      }
    });
  }

  /* The server reads the first rows by their number. */
  function renumber(day) {
    rowsOf(day).forEach((row, number) => {
      for (const time of timesOf(row)) time.name = time.name.replace(/\d+$/, String(number));
    });
    const rows = rowsOf(day);
    const add = day.querySelector("[data-week-add]");
    if (add) add.hidden = rows.length >= MOST_ROWS;
    for (const row of rows) row.querySelector("[data-week-remove]").hidden = rows.length < 2;
  }

  function addRow(day) {
    const rows = rowsOf(day);
    if (rows.length >= MOST_ROWS) return null;
    const row = rows[rows.length - 1].cloneNode(true);
    for (const time of timesOf(row)) time.value = "";
    rows[rows.length - 1].after(row);
    renumber(day);
    return row;
  }

  function fill(day, values) {
    while (rowsOf(day).length < values.length) addRow(day);
    rowsOf(day).slice(values.length).forEach((row) => row.remove());
    rowsOf(day).forEach((row, number) => {
      timesOf(row).forEach((time, side) => { time.value = values[number][side]; });
    });
    renumber(day);
  }

  function copyMonday(week) {
    const monday = week.querySelector("[data-week-day=mo]");
    if (isClosed(monday)) return;
    const values = rowsOf(monday).map((row) => timesOf(row).map((time) => time.value));
    for (const day of daysOf(week)) {
      if (day !== monday && day.dataset.weekDay !== "ph" && !isClosed(day)) fill(day, values);
    }
  }

  function clicked(week, event) {
    const button = event.target.closest("button");
    const day = event.target.closest("[data-week-day]");
    if (!button) return;
    if (button.hasAttribute("data-week-add")) {
      event.preventDefault();
      const row = addRow(day);
      if (row) timesOf(row)[0].focus();
    } else if (button.hasAttribute("data-week-remove")) {
      button.closest("[data-week-row]").remove();
      renumber(day);
      timesOf(rowsOf(day)[0])[0].focus();
    } else if (button.hasAttribute("data-week-copy")) {
      event.preventDefault();
      copyMonday(week);
    } else {
      return;
    }
    draw(week);
  }

  for (const week of document.querySelectorAll("[data-week]")) {
    daysOf(week).forEach(renumber);
    week.addEventListener("input", () => draw(week));
    week.addEventListener("click", (event) => clicked(week, event));
  }
})();
