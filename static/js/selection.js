// Tick rows of the library: a whole page at once, with a count. The form works without this module.
const checkboxes = () => [...document.querySelectorAll(".pick")];

function update() {
  const form = document.getElementById("selection");
  if (!form) return;
  const count = checkboxes().filter((box) => box.checked).length;
  document.getElementById("selected").textContent = count ? `${count} selected` : "";
  // Without a selection the server could only answer "select samples first".
  const isAll = Boolean(form.elements.all?.checked);
  for (const button of form.querySelectorAll("button")) {
    const { most, takesAll } = button.dataset; // the most ticked samples that it takes; few take all that match too
    const isFit = most === undefined || (count > 0 && count <= Number(most));
    button.disabled = isAll ? most !== undefined && takesAll === undefined && !isFit : !count || !isFit;
  }
}

document.addEventListener("change", (event) => {
  if (event.target.matches('[data-action="select-page"]')) {
    for (const box of checkboxes()) box.checked = event.target.checked;
  }
  update();
});
document.addEventListener("htmx:afterSettle", update);
addEventListener("pageshow", update); // after Back, browsers restore the ticks
update();
