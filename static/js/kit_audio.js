// The one audio context of a kit's page, made when the first sound is asked for.
let context = null;

export async function audioContext() {
  context ??= new AudioContext({ latencyHint: "interactive", sampleRate: 48000 });
  await context.resume();
  return context;
}
