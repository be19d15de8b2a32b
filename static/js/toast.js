// A short message in the corner, read out politely and gone by itself.
const SHOWN_MS = 8000;

export function toast(text) {
  const note = document.createElement("p");
  note.className = "notice bad";
  note.textContent = text;
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), SHOWN_MS);
}
