// What plays: rows of a list, the page of a sample, and the play buttons of job cards. htmx may replace such an
// element while it plays, so it is looked up by its source.
export function soundOf(element) {
  const { src, name, facts = "", href = "", peaks = "", loop = "0", gain = "1" } = element.dataset;
  return { src, name, facts, href, peaks, isLoop: loop === "1", gain: Number(gain) };
}

export const elementOf = (source) => document.querySelector(`[data-src="${CSS.escape(source)}"]`);
export const soundRows = () => [...document.querySelectorAll(".row[data-src]:not(#beside *)")].filter((row) => row.offsetParent);

// The rows below the element in its list.
export function rowsBelow(element, count) {
  const rows = soundRows();
  const at = rows.indexOf(element);
  return at === -1 ? [] : rows.slice(at + 1, at + 1 + count);
}
