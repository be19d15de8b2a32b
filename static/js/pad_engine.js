// Plays pads in an audio context as the unit plays them. It knows no page: its user brings the context, the sounds
// and the settings of the pads, by the names of `PadSettings`.
//
// Not like the unit: with vinyl off, a pitch is heard without its tempo being kept, and a speed is not heard at all.
// Levels and velocities act in proportion; the unit's own curves are not documented.

export const MOST_VOICES = 32; // a stereo sound takes two
export const CUT_S = 0.004; // a cut sound falls to silence in this time, so that it does not click
const LONGEST_FADE_S = 3; // attack and release of 127
const FULL = 127;
const CENTRE = 64;

export class PadEngine {
  #pads = new Map(); // by the pad's name: { settings, buffer, turned }
  #voices = []; // in the order of their starts

  constructor(context, destination = context.destination) {
    this.context = context;
    this.output = new GainNode(context);
    this.output.connect(destination);
  }

  // Put a sound with its settings on a pad. What sounds there now goes on as it began.
  setPad(name, buffer, settings) {
    this.#pads.set(name, { buffer, settings, turned: turn(this.context, buffer, settings) });
  }

  removePad(name) {
    this.#pads.delete(name);
  }

  has(name) {
    return this.#pads.has(name);
  }

  // Press a pad, and the pads that are linked with it. `chop` plays one slice of it, counted from 0.
  press(name, { velocity = FULL, at = this.context.currentTime, chop = null } = {}) {
    const pressed = this.#pads.get(name);
    if (!pressed) return;
    const link = pressed.settings.pad_link;
    for (const [other, pad] of this.#pads) {
      if (other === name || (link && pad.settings.pad_link === link)) {
        this.#pressOne(other, pad, velocity, at, other === name ? chop : null);
      }
    }
  }

  // Let a pad go: sounds of a pad with gate end.
  release(name, at = this.context.currentTime) {
    const link = this.#pads.get(name)?.settings.pad_link;
    for (const voice of this.#sounding(at)) {
      const isMeant = voice.name === name || (link && voice.settings.pad_link === link);
      if (isMeant && voice.settings.gate) fadeOut(voice, at, fadeTime(voice.settings.release));
    }
  }

  // End every sound.
  panic(at = this.context.currentTime) {
    for (const voice of this.#sounding(at)) fadeOut(voice, at, CUT_S);
  }

  isSounding(name, at = this.context.currentTime) {
    return this.#sounding(at).some((voice) => voice.name === name);
  }

  #pressOne(name, pad, velocity, at, chop) {
    const { settings } = pad;
    const isToggled = !settings.gate && !settings.one_shot && chop === null;
    if (isToggled && this.isSounding(name, at)) {
      for (const voice of this.#sounding(at)) if (voice.name === name) fadeOut(voice, at, CUT_S);
      return;
    }
    const group = settings.mute_group;
    for (const voice of this.#sounding(at)) {
      const isChoked = group && voice.settings.mute_group === group;
      const isReplaced = voice.name === name && settings.poly_mode !== "poly";
      if (isChoked || isReplaced) fadeOut(voice, at, CUT_S);
    }
    this.#makeRoom(pad.buffer.numberOfChannels, at);
    this.#voices.push(startVoice(this.context, this.output, name, pad, velocity, at, chop));
  }

  #makeRoom(needed, at) {
    const sounding = this.#sounding(at);
    let taken = sounding.reduce((sum, voice) => sum + voice.channels, 0);
    while (sounding.length && taken + needed > MOST_VOICES) {
      const oldest = sounding.shift();
      taken -= oldest.channels;
      fadeOut(oldest, at, CUT_S);
    }
  }

  #sounding(at) {
    this.#voices = this.#voices.filter((voice) => voice.ends > this.context.currentTime);
    return this.#voices.filter((voice) => voice.starts <= at && voice.ends > at && !voice.isEnding);
  }
}

export const playbackRate = ({ vinyl, bpm_sync: isSynced, speed, pitch, fine }) => {
  if (!vinyl) return 2 ** ((pitch + fine / 100) / 12);
  return isSynced ? 1 : speed / 100;
};

// The part of a sound that is played, in frames.
export function playedPart(buffer, settings, chop = null) {
  const end = Math.min(settings.end ?? buffer.length, buffer.length);
  if (chop === null || !settings.chops.length) return [Math.min(settings.start, end), end];
  const first = settings.chops[chop] ?? settings.start;
  return [Math.min(first, end), Math.min(settings.chops[chop + 1] ?? end, end)];
}

// A sound that is not played forwards is copied in the order in which it is played.
function turn(context, buffer, settings) {
  if (settings.play_mode === "forward") return null;
  const [first, last] = playedPart(buffer, settings);
  const length = last - first;
  const isPingPong = settings.play_mode.endsWith("ping-pong");
  const turned = new AudioBuffer({
    numberOfChannels: buffer.numberOfChannels,
    length: Math.max(length * (isPingPong ? 2 : 1), 1),
    sampleRate: buffer.sampleRate,
  });
  for (let channel = 0; channel < buffer.numberOfChannels; channel += 1) {
    const there = buffer.getChannelData(channel).slice(first, last);
    const back = there.slice().reverse();
    const order = { reverse: [back], "ping-pong": [there, back], "reverse ping-pong": [back, there] };
    order[settings.play_mode].forEach((part, place) => turned.copyToChannel(part, channel, place * length));
  }
  return turned;
}

function startVoice(context, output, name, pad, velocity, at, chop) {
  const { settings } = pad;
  const isSlice = chop !== null;
  const buffer = isSlice || !pad.turned ? pad.buffer : pad.turned;
  const [first, last] = buffer === pad.turned ? [0, buffer.length] : playedPart(pad.buffer, settings, chop);
  const rate = playbackRate(settings);
  const isLooped = settings.loop && !isSlice;
  const source = new AudioBufferSourceNode(context, { buffer, playbackRate: rate });
  const seconds = (frames) => frames / buffer.sampleRate;
  const length = seconds(last - first);
  if (isLooped) {
    source.loop = true;
    source.loopStart = seconds(loopStart(settings, buffer === pad.turned, first));
    source.loopEnd = seconds(last);
    source.start(at, seconds(first));
  } else {
    source.start(at, seconds(first), length);
  }
  const gain = new GainNode(context, { gain: 0 });
  const level = (settings.level / FULL) * ((settings.fixed_velocity ? FULL : velocity) / FULL);
  const attack_s = (settings.attack / FULL) * LONGEST_FADE_S;
  gain.gain.setValueAtTime(attack_s ? 0 : level, at);
  if (attack_s) gain.gain.linearRampToValueAtTime(level, at + attack_s);
  source.connect(gain);
  placeInStereo(context, gain, settings.pan).connect(output);
  const voice = {
    name, settings, source, gain, level, attack_s, starts: at, channels: buffer.numberOfChannels,
    fade: null, isEnding: false,
    ends: isLooped ? Infinity : at + length / rate,
  };
  if (settings.hold < 100 && !isLooped) {
    const held = at + (length / rate) * (settings.hold / 100);
    fadeOut(voice, held, fadeTime(settings.release));
    voice.isEnding = false; // it may still be let go, cut or choked before
  }
  return voice;
}

function loopStart(settings, isTurned, first) {
  if (isTurned || settings.loop_top === null) return first;
  return Math.max(settings.loop_top, first);
}

const fadeTime = (value) => Math.max((value / FULL) * LONGEST_FADE_S, CUT_S);

// Balance: the centre leaves both channels as they are, and a side turns the other one down.
function placeInStereo(context, node, pan) {
  if (pan === CENTRE) return node;
  const side = Math.max((pan - CENTRE) / (FULL - CENTRE), -1);
  const both = new GainNode(context, { channelCount: 2, channelCountMode: "explicit" });
  const split = new ChannelSplitterNode(context, { numberOfOutputs: 2 });
  const merge = new ChannelMergerNode(context, { numberOfInputs: 2 });
  node.connect(both).connect(split);
  [Math.min(1 - side, 1), Math.min(1 + side, 1)].forEach((gain, channel) => {
    const turned = new GainNode(context, { gain });
    split.connect(turned, channel);
    turned.connect(merge, 0, channel);
  });
  return merge;
}

// Let a sound fall to silence and end it. A bare stop would click.
function fadeOut(voice, at, length_s) {
  const { gain } = voice.gain;
  const now = levelAt(voice, at);
  gain.cancelScheduledValues(at);
  gain.linearRampToValueAtTime(now, at); // as it was going anyway
  gain.linearRampToValueAtTime(0, at + length_s);
  voice.source.stop(at + length_s);
  voice.fade = { at, length_s, from: now };
  voice.ends = Math.min(voice.ends, at + length_s);
  voice.isEnding = true;
}

function levelAt({ level, starts, attack_s, fade }, at) {
  if (fade && at > fade.at) return fade.from * Math.max(1 - (at - fade.at) / fade.length_s, 0);
  return attack_s ? level * Math.min((at - starts) / attack_s, 1) : level;
}
