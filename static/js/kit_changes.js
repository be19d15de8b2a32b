// Change a kit without loading its page again: the server answers with the parts that the change may touch.
import { grid } from "./kit_parts.js";

const CONFLICT = 409;
let latest = Promise.resolve();

// Send a change below the kit's address. Each names the revision that the one before it made, so they go in turn.
export function sendChange(path, values) {
  latest = latest.then(() => {
    const { kit, revision } = grid().dataset;
    return htmx.ajax("POST", `/kits/${kit}/${path}`, {
      source: "#kit-page",
      target: "#pad-panel",
      swap: "outerHTML show:none",
      values: { ...values, revision },
    });
  }).catch(() => {}); // htmx has told the user
  return latest;
}

// A kit that was changed elsewhere is shown as it is now.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status !== CONFLICT || event.detail.target.id !== "pad-panel") return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
});
