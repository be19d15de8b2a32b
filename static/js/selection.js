// Tick rows of the library: one, a range with Shift, or a whole page. The form works without this module.
const checkboxes = () => [...document.querySelectorAll(".pick")];
let lastPicked = null;

function update() {
  const form = document.getElementById("selection");
  if (!form) return;
  const count = checkboxes().filter((box) => box.checked).length;
  const isAll = Boolean(form.elements.all?.checked); // other lists than the library have no such box
  // Without a selection the server could only answer "select samples first".
  form.classList.toggle("is-empty", count === 0 && !isAll);
  document.getElementById("selected").textContent = isAll ? "" : `${count} selected`;
  for (const button of form.querySelectorAll("button")) {
    const { most, takesAll } = button.dataset; // the most ticked samples that it takes; few take all that match too
    const isFit = most === undefined || (count > 0 && count <= Number(most));
    button.disabled = !isFit && !(isAll && takesAll !== undefined);
  }
}

function pickRange(box) {
  const boxes = checkboxes();
  const [first, last] = [boxes.indexOf(lastPicked), boxes.indexOf(box)].sort((a, b) => a - b);
  for (const between of boxes.slice(Math.max(first, 0), last + 1)) between.checked = box.checked;
}

document.addEventListener("click", (event) => {
  if (!event.target.matches(".pick")) return;
  if (event.shiftKey && lastPicked?.isConnected) pickRange(event.target);
  lastPicked = event.target;
  update();
});

const PRESSED = "a, button, input, select, textarea, label, summary, .menu-items, .warned";

// A range of rows is no text to select.
document.addEventListener("mousedown", (event) => {
  const isRange = event.shiftKey && event.target.closest(".rows .row") && !event.target.closest(PRESSED);
  if (isRange) event.preventDefault();
});

// A click beside what a row shows selects it.
document.addEventListener("click", (event) => {
  const cell = event.target.closest(".rows .row td:not(.col-wave)");
  const box = cell?.closest(".row").querySelector(".pick");
  const isSelectingText = !event.shiftKey && String(getSelection());
  if (!box || event.target.closest(PRESSED) || isSelectingText) return;
  box.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: event.shiftKey }));
});

document.addEventListener("change", (event) => {
  if (event.target.matches('[data-action="select-page"]')) {
    for (const box of checkboxes()) box.checked = event.target.checked;
  }
  update();
});

// Enter presses the button below the field, not the first one of the whole form.
document.addEventListener("keydown", (event) => {
  const fields = event.key === "Enter" && event.target.matches("input") && event.target.closest(".bulk-fields");
  if (!fields) return;
  event.preventDefault();
  fields.querySelector("button").click();
});

document.addEventListener("htmx:afterSettle", update);
addEventListener("pageshow", update); // after Back, browsers restore the ticks
update();
