// Markers on a waveform: where they are, how they are dragged and how keys move them.
const framesOf = (area) => Number(area.dataset.frames);

// Put a marker at a frame. Its user says what the marker is.
export function placeMarker(area, marker, frame) {
  marker.style.left = `${(100 * frame) / framesOf(area)}%`;
}

// The frame below a pointer.
export function frameAt(area, clientX) {
  const box = area.getBoundingClientRect();
  return Math.round((framesOf(area) * (clientX - box.left)) / box.width);
}

// Follow a pointer that presses a marker: `move` gets each frame, and `done` is called at the end.
export function dragMarker(area, marker, event, { move, done }) {
  marker.setPointerCapture(event.pointerId);
  const follow = ({ clientX }) => move(frameAt(area, clientX));
  marker.addEventListener("pointermove", follow);
  marker.addEventListener(
    "lostpointercapture",
    () => {
      marker.removeEventListener("pointermove", follow);
      done();
    },
    { once: true },
  );
}

// How many frames an arrow key moves a marker: a step of `step_s`, or ten with Shift. 0 for other keys.
export function arrowFrames(event, step_s, rate) {
  const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0;
  return Math.round(direction * (event.shiftKey ? 10 : 1) * step_s * rate);
}
