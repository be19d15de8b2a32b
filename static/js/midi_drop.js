// A MIDI file that is dropped on the page of a kit becomes a pattern of it.
const MIDI = /\.midi?$/i;

// Return whether the files were a MIDI file for the kit that is open; its form is sent then.
export function takeMidi(files) {
  const form = document.getElementById("midi-form");
  if (!form || files.length !== 1 || !MIDI.test(files[0].name)) return false;
  const chosen = new DataTransfer();
  chosen.items.add(files[0]);
  form.elements.midi.files = chosen.files;
  form.requestSubmit();
  return true;
}
