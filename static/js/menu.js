// The menus of the rows: one closes when the click goes elsewhere, and opens upwards above the player.
import { fillMenu } from "./rows.js";

const MARGIN_PX = 8;

function lowestVisible() {
  const player = document.getElementById("player");
  return player && !player.hidden ? player.getBoundingClientRect().top : innerHeight;
}

// "toggle" does not bubble, so it is caught on the way down.
document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!menu.matches(".menu")) return;
  fillMenu(menu.closest(".row"));
  menu.classList.remove("opens-up");
  const items = menu.querySelector(".menu-items").getBoundingClientRect();
  menu.classList.toggle("opens-up", menu.open && items.bottom + MARGIN_PX > lowestVisible());
}, true);

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(".menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
