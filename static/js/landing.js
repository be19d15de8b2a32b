// The loop on the landing page. Its file goes on after the end with its beginning, so any part of the loop's length
// repeats without a gap, whatever silence the decoder leaves at the start.

const LOOP_START_S = 0.1;
const button = document.getElementById("loop-button");
const place = document.getElementById("loop-place");
const lengthS = Number(button.dataset.length);
let context = null;
let source = null;
let startedAt = 0;
let presses = 0; // the latest one counts

async function start(press) {
  context ??= new AudioContext();
  await context.resume();
  const response = await fetch(button.dataset.loop);
  const buffer = await context.decodeAudioData(await response.arrayBuffer());
  if (press !== presses) return;
  source = new AudioBufferSourceNode(context, {
    buffer, loop: true, loopStart: LOOP_START_S, loopEnd: LOOP_START_S + lengthS,
  });
  source.connect(context.destination);
  source.start();
  startedAt = context.currentTime;
  showPlace();
}

function stop() {
  source?.stop();
  source = null;
  place.value = 0;
}

function showPlace() {
  if (!source) return;
  place.value = ((context.currentTime - startedAt) / lengthS) % 1;
  requestAnimationFrame(showPlace);
}

function show(isPlaying) {
  button.setAttribute("aria-pressed", String(isPlaying));
  button.querySelector("span").textContent = isPlaying ? "Stop the loop" : "Play the loop";
}

button.addEventListener("click", async () => {
  const press = ++presses;
  const isPlaying = button.getAttribute("aria-pressed") === "true";
  show(!isPlaying);
  if (isPlaying) stop();
  else await start(press).catch(() => press === presses && show(false));
});
