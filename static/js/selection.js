// Ticking rows: a whole page at once, and how many are ticked. The form works without it.
const boxes = () => [...document.querySelectorAll(".pick")];

function tell() {
  const output = document.getElementById("selected");
  const count = boxes().filter((box) => box.checked).length;
  if (output) output.textContent = count ? `${count} selected` : "";
}

document.addEventListener("change", (event) => {
  if (event.target.matches('[data-action="select-page"]')) {
    for (const box of boxes()) box.checked = event.target.checked;
  }
  tell();
});
document.addEventListener("htmx:afterSettle", tell);
tell(); // a browser that goes back keeps what was ticked
