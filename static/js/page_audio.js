// The one audio context of a page, made when it is needed first.
let context = null;

export async function audioContext() {
  context ??= new AudioContext({ latencyHint: "interactive", sampleRate: 48000 });
  await context.resume();
  return context;
}
