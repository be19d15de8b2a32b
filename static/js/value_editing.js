// Values that turn into their fields where they stand: Enter saves, Escape leaves. Links and forms do the rest.
let last = null; // the value, or the address of the form, that a request was last sent for

const formOf = (element) => element.closest?.(".value-form");

document.addEventListener("keydown", (event) => {
  const form = formOf(event.target);
  if (!form) return;
  if (event.key === "Escape") form.querySelector(".value-cancel").click();
  else if (event.key === "Enter" && event.target.matches("select")) form.requestSubmit();
  else return;
  event.preventDefault();
});

document.addEventListener("htmx:beforeRequest", ({ detail: { elt } }) => {
  if (!elt.closest("#sample")) return;
  const field = elt.querySelector?.('[name="field"]')?.value;
  last = { value: formOf(elt)?.dataset.value ?? field, action: elt.getAttribute("action") };
});

// A value that was open loses the focus with its field, and a button with its form: give it to what stands there now.
document.addEventListener("htmx:afterSettle", () => {
  const focused = document.activeElement;
  if (focused.matches(".value-form input")) focused.select();
  if (!last || focused !== document.body) return;
  const value = last.value && document.getElementById(`value-${last.value}`);
  (value ?? document.querySelector(`#sample form[action="${last.action}"] button`))?.focus();
});
