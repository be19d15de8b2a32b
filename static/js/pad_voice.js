// One sound of a pad as a graph of audio nodes: started as the pad's settings say, let go, cut or ended.

export const CUT_S = 0.004; // a cut sound falls to silence in this time, so that it does not click
const LONGEST_FADE_S = 3; // attack and release of 127
const FULL = 127;
const CENTRE = 64;

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
export function turn(context, buffer, settings) {
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

export function startVoice(context, output, name, pad, velocity, at, chop) {
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
    name, chop, settings, source, gain, level, attack_s, starts: at, channels: buffer.numberOfChannels,
    fade: null, letGoAt: Infinity, isStep: false,
    ends: isLooped ? Infinity : at + length / rate,
  };
  if (settings.hold < 100 && !isLooped) {
    const held = at + (length / rate) * (settings.hold / 100);
    fadeOut(voice, held, fadeTime(settings.release)); // it may still be let go, cut or choked before
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

// Let a sound go as a finger does: it falls as long as its release says.
export function letGo(voice, at) {
  fadeOut(voice, at, fadeTime(voice.settings.release));
  voice.letGoAt = Math.min(voice.letGoAt, at);
}

// End a sound as soon as it can be without a click.
export function cut(voice, at) {
  if (voice.ends <= at + CUT_S) return;
  fadeOut(voice, at, CUT_S);
  voice.letGoAt = Math.min(voice.letGoAt, at);
}

// Cut a sound, or cancel one that has not started.
export function end(voice, at) {
  if (voice.starts <= at) {
    cut(voice, at);
    return;
  }
  voice.gain.disconnect();
  voice.source.stop(at);
  voice.ends = at;
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
}

function levelAt({ level, starts, attack_s, fade }, at) {
  if (fade && at > fade.at) return fade.from * Math.max(1 - (at - fade.at) / fade.length_s, 0);
  return attack_s ? level * Math.min((at - starts) / attack_s, 1) : level;
}
