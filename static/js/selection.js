// Tick rows of the library: a whole page at once, with a count. The form works without this module.
const checkboxes = () => [...document.querySelectorAll(".pick")];

function update() {
  const form = document.getElementById("selection");
  if (!form) return;
  const count = checkboxes().filter((box) => box.checked).length;
  document.getElementById("selected").textContent = count ? `${count} selected` : "";
  // Without a selection the server could only answer "select samples first".
  const isEmpty = count === 0 && !form.elements.all?.checked;
  for (const button of form.querySelectorAll("button")) {
    const most = Number(button.dataset.most); // such a button takes only ticked samples, and so many of them
    button.disabled = most ? count === 0 || count > most : isEmpty;
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
