// Patterns of a kit: the beat of the steps is kept, kept ones are shown in the steps, and a MIDI file is dropped.
import { toast } from "./toast.js";

const MIDI = /\.midi?$/i;

// `beat` returns the beat of the steps, and `show` puts another one there.
export function preparePatterns(beat, show) {
  const form = document.getElementById("keep-beat");
  form.addEventListener("submit", (event) => {
    if (beat().isEmpty) {
      event.preventDefault();
      toast("The beat has no step yet. Set some steps first.");
      return;
    }
    form.elements.beat.value = JSON.stringify(beat());
  });
  for (const button of document.querySelectorAll("[data-pattern-beat]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const { patternBeat, place, bars, name } = button.dataset;
      await show(JSON.parse(patternBeat));
      form.elements.place.value = place;
      if (!form.elements.place.value) form.elements.place.selectedIndex = 0;
      form.elements.bars.value = bars;
      form.elements.name.value = name;
      document.getElementById("kit-tools").scrollIntoView({ block: "nearest" });
    });
  }
}

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
