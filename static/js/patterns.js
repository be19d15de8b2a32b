// Patterns of a kit: the beat of the steps is saved, and saved ones are loaded into the steps.
import { beatOfSteps, showBeat } from "./kit_play.js";
import { toast } from "./toast.js";

const keepForm = () => document.getElementById("keep-beat");

// Caught on the way down, before htmx sends the form.
function fillIn(event) {
  if (event.target !== keepForm()) return;
  const beat = beatOfSteps();
  if (!beat || beat.isEmpty) {
    event.preventDefault();
    event.stopPropagation();
    toast("The beat has no step yet. Turn play mode on and set some steps first.");
    return;
  }
  keepForm().elements.beat.value = JSON.stringify(beat);
}

async function showPattern(event) {
  const button = event.target.closest("[data-pattern-beat]");
  if (!button) return;
  const { patternBeat, place, bars, name } = button.dataset;
  await showBeat(JSON.parse(patternBeat));
  const fields = keepForm().elements;
  fields.place.value = place;
  if (!fields.place.value) fields.place.selectedIndex = 0;
  fields.bars.value = bars;
  fields.name.value = name;
  document.getElementById("kit-tools").scrollIntoView({ block: "nearest" });
}

document.addEventListener("submit", fillIn, { capture: true });
document.addEventListener("click", showPattern);
