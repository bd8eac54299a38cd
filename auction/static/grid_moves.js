// Where a key leads in a grid of editable cells. Pure.

/**
 * The cell that a key leads to, or null if the key is none of the grid's.
 * `at` and the result: {row, column}; `size`: {rows, columns}.
 */
export function moved(key, at, size, { ctrl = false } = {}) {
  const last = { row: size.rows - 1, column: size.columns - 1 };
  switch (key) {
    case "ArrowUp":
      return { ...at, row: ctrl ? 0 : Math.max(0, at.row - 1) };
    case "ArrowDown":
      return { ...at, row: ctrl ? last.row : Math.min(last.row, at.row + 1) };
    case "ArrowLeft":
      return { ...at, column: ctrl ? 0 : Math.max(0, at.column - 1) };
    case "ArrowRight":
      return { ...at, column: ctrl ? last.column : Math.min(last.column, at.column + 1) };
    case "Home":
      return { row: ctrl ? 0 : at.row, column: 0 };
    case "End":
      return { row: ctrl ? last.row : at.row, column: last.column };
    case "PageUp":
      return { ...at, row: Math.max(0, at.row - 10) };
    case "PageDown":
      return { ...at, row: Math.min(last.row, at.row + 10) };
    default:
      return null;
  }
}

/** Where one goes on after a cell was saved by Enter (down) or Tab (across, then the next row). */
export function after(key, at, size, { shift = false } = {}) {
  if (key === "Enter") {
    return { ...at, row: shift ? Math.max(0, at.row - 1) : Math.min(size.rows - 1, at.row + 1) };
  }
  const step = shift ? -1 : 1;
  const place = at.row * size.columns + at.column + step;
  if (place < 0 || place >= size.rows * size.columns) return at;
  return { row: Math.floor(place / size.columns), column: place % size.columns };
}

/** Whether a key begins to type into a cell: one character, without Control, Alt or Meta. */
export function begins(event) {
  return event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && event.key !== " ";
}
