// Plays samples: once, or over and over without a gap and at their exact length. It knows no page.
const FADE_S = 0.004; // a cut, and a start amid a sound, would click

export class SoundVoice {
  #playing = null; // { source, gain, startedAt, offset_s, part }

  constructor(context, destination = context.destination) {
    this.context = context;
    this.output = new GainNode(context);
    this.output.connect(destination);
  }

  get isSounding() {
    return this.#playing !== null;
  }

  get position_s() {
    const { source, startedAt, offset_s, part: [from_s, to_s] } = this.#playing;
    const at_s = offset_s + Math.max(this.context.currentTime - startedAt, 0);
    if (!source.loop) return Math.min(at_s, source.buffer.duration);
    return at_s < to_s ? at_s : from_s + ((at_s - from_s) % (to_s - from_s));
  }

  setVolume(volume) {
    this.output.gain.value = volume;
  }

  // Play from `offset_s`. What repeats with `loop` is a part of the samples, by default all of them; it begins before
  // the part's end.
  start(buffer, { offset_s = 0, loop = true, part = [0, buffer.duration] } = {}) {
    this.stop();
    const at = this.context.currentTime;
    const [loopStart, loopEnd] = part;
    const source = new AudioBufferSourceNode(this.context, { buffer, loop, loopStart, loopEnd });
    const gain = new GainNode(this.context, { gain: offset_s ? 0 : 1 });
    if (offset_s) gain.gain.setValueAtTime(0, at).linearRampToValueAtTime(1, at + FADE_S);
    source.connect(gain).connect(this.output);
    source.start(at, offset_s);
    const playing = { source, gain, startedAt: at, offset_s, part };
    source.onended = () => {
      gain.disconnect();
      if (this.#playing === playing) this.#playing = null;
    };
    this.#playing = playing;
  }

  // Without a loop it plays on to the end of the samples, and no further.
  setLoop(on) {
    Object.assign(this.#playing, { offset_s: this.position_s, startedAt: this.context.currentTime });
    this.#playing.source.loop = on;
  }

  stop() {
    if (!this.#playing) return;
    const { source, gain } = this.#playing;
    const at = this.context.currentTime;
    gain.gain.cancelScheduledValues(at);
    gain.gain.setValueAtTime(gain.gain.value, at).linearRampToValueAtTime(0, at + FADE_S);
    source.stop(at + FADE_S);
    this.#playing = null;
  }
}
