// Runs before the page is there. The other scripts are modules, which a slow connection brings later: from the first
// picture on the page looks as it does with them, and what is pressed, typed or chosen meanwhile is told to them.
document.documentElement.classList.add("has-js");

{
  // Without the modules these do nothing, or lead away from the page.
  const NEEDS_MODULES = 'button[type="button"], a.play, .like button';
  const TOLD = ["input", "change", "toggle"];
  const pressed = new Set();
  const changed = new Map(); // by element, the kinds of events

  const press = (event) => {
    const button = event.target.closest(NEEDS_MODULES);
    if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    pressed.add(button);
  };
  const change = ({ target, type }) => {
    changed.set(target, (changed.get(target) ?? new Set()).add(type));
  };

  addEventListener("click", press, { capture: true });
  for (const type of TOLD) addEventListener(type, change, { capture: true });
  // The modules have run by then, and htmx hears of it first.
  addEventListener("DOMContentLoaded", () => {
    removeEventListener("click", press, { capture: true });
    for (const type of TOLD) removeEventListener(type, change, { capture: true });
    for (const [element, types] of changed) {
      for (const type of types) element.dispatchEvent(new Event(type, { bubbles: type !== "toggle" }));
    }
    for (const button of pressed) button.click();
  });
}
