// The parts of a kit's page. htmx replaces most of them after a change, so each is looked up when it is needed. There
// are none while another page is open, which these modules outlive.
export const grid = () => document.getElementById("pads");
export const tools = () => document.getElementById("kit-tools");
export const padElements = () => [...(grid()?.querySelectorAll("[data-pad]") ?? [])];
export const padElement = (name) => grid()?.querySelector(`[data-pad="${name}"]`);
export const control = (name) => tools()?.querySelector(`[data-kit-control="${name}"]`);
export const isPlaying = () => document.body.dataset.playing === "1"; // keys and pointer play the pads

// The pads by the place of their keys, whatever the keyboard's language: pad 1 is the first.
export const CODES = [
  "Digit1", "Digit2", "Digit3", "Digit4",
  "KeyQ", "KeyW", "KeyE", "KeyR",
  "KeyA", "KeyS", "KeyD", "KeyF",
  "KeyZ", "KeyX", "KeyC", "KeyV",
];

export const isTyping = (element) =>
  Boolean(element.closest?.('input:not([type="checkbox"]), textarea, select, dialog[open]'));
