// Change a kit without loading its page again: the server answers with the parts that the change may touch.
import { basePath } from "./base_path.js";
import { grid } from "./kit_parts.js";

const CONFLICT = 409;
const NOTICE_MS = 8000;
let latest = Promise.resolve();
let fading = null;

// Send a change below the kit's address. Each names the revision that the one before it made, so they go in turn.
export function sendChange(path, values) {
  const { kit } = grid().dataset;
  latest = latest.then(() => {
    if (grid()?.dataset.kit !== kit) return null; // the page of another kit is open by now
    const { revision } = grid().dataset;
    return htmx.ajax("POST", `${basePath}/kits/${kit}/${path}`, {
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

// What was done needs no answer and goes by itself; a refusal, or what can be answered, stays until the next change.
function fadeNotices() {
  clearTimeout(fading);
  fading = setTimeout(() => {
    const done = document.querySelectorAll("#kit-notices .notice:not(.bad, .asks, :has(form))");
    for (const notice of done) notice.remove();
  }, NOTICE_MS);
}
document.addEventListener("htmx:afterSettle", fadeNotices);
fadeNotices();
