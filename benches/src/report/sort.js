// Sorts a table by the column whose heading is clicked, or activated by the keyboard: numbers by their value, words by
// the alphabet, once up and once down. What has no value goes last.
document.querySelectorAll(".table table").forEach((table) => {
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  const key = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    return cell.textContent === "–" ? undefined : cell.textContent;
  };
  const order = (a, b) => {
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b));
  };
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [key(a, column), key(b, column)];
        const known = x !== undefined && y !== undefined;
        return down && known ? order(y, x) : order(x, y);
      });
      body.append(...rows);
    });
  });
});
