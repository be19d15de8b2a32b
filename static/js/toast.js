// A short message in the corner. Screen readers read it out, and it disappears by itself.
const VISIBLE_MS = 8000;

export function toast(text) {
  const note = document.createElement("p");
  note.className = "notice bad";
  note.textContent = text;
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), VISIBLE_MS);
}
