// Plays pads in an audio context as the unit plays them. It knows no page: its user brings the context, the sounds
// and the settings of the pads, by the names of `PadSettings`.
//
// Not like the unit: with vinyl off, a pitch is heard without its tempo being kept, and a speed is not heard at all.
// Levels and velocities act in proportion; the unit's own curves are not documented.

import { cut, end, letGo, startVoice, turn } from "./pad_voice.js";

export const MOST_VOICES = 32; // a stereo sound takes two
const FULL = 127;

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

  // Press a pad, and the pads that are linked with it. `chop` plays one slice of it, counted from 0. A step of a beat
  // (`isStep`) always starts its sound from the beginning, and `endSteps` ends it; `until` is when a pad with gate is
  // let go again.
  press(name, { velocity = FULL, at = this.context.currentTime, chop = null, isStep = false, until = Infinity } = {}) {
    const pressed = this.#pads.get(name);
    if (!pressed) return;
    const link = pressed.settings.pad_link;
    for (const [other, pad] of this.#pads) {
      if (other === name || (link && pad.settings.pad_link === link)) {
        this.#pressOne(other, pad, { velocity, at, chop: other === name ? chop : null, isStep, until });
      }
    }
  }

  // Let a pad go: sounds of a pad with gate end. With `chop`, only that slice of it.
  release(name, { at = this.context.currentTime, chop = null } = {}) {
    const link = chop === null && this.#pads.get(name)?.settings.pad_link;
    for (const voice of this.#sounding(at)) {
      const isMeant = (voice.name === name && voice.chop === chop) || (link && voice.settings.pad_link === link);
      if (isMeant && voice.settings.gate) letGo(voice, at);
    }
  }

  // End every sound, also those that fade already and those that would start later.
  panic(at = this.context.currentTime) {
    for (const voice of this.#unfinished(at)) end(voice, at);
  }

  // End every sound that a step of a beat started.
  endSteps(at = this.context.currentTime) {
    for (const voice of this.#unfinished(at)) if (voice.isStep) end(voice, at);
  }

  isSounding(name, at = this.context.currentTime) {
    return this.#sounding(at).some((voice) => voice.name === name);
  }

  #pressOne(name, pad, { velocity, at, chop, isStep, until }) {
    const { settings } = pad;
    const isToggled = !settings.gate && !settings.one_shot && chop === null;
    if (isToggled && !isStep && this.isSounding(name, at)) {
      for (const voice of this.#sounding(at)) if (voice.name === name) end(voice, at);
      return;
    }
    const isAlone = isToggled || settings.poly_mode !== "poly";
    const nextAt = this.#endOthers(name, settings.mute_group, isAlone, at);
    this.#makeRoom(pad.buffer.numberOfChannels, at);
    const voice = startVoice(this.context, this.output, name, pad, velocity, at, chop);
    voice.isStep = isStep;
    if (settings.gate && until < Math.min(voice.ends, nextAt)) letGo(voice, until);
    if (nextAt < voice.ends) cut(voice, nextAt);
    this.#voices.push(voice);
  }

  // Cut what a press chokes or replaces. Return when the first such sound starts that is scheduled already, as steps of
  // a beat are: that one ends the pressed sound then.
  #endOthers(name, group, isAlone, at) {
    let nextAt = Infinity;
    for (const voice of this.#unfinished(at)) {
      const isChoked = group && voice.settings.mute_group === group;
      const isReplaced = voice.name === name && isAlone;
      if (!isChoked && !isReplaced) continue;
      if (voice.starts > at) nextAt = Math.min(nextAt, voice.starts);
      else cut(voice, at);
    }
    return nextAt;
  }

  #makeRoom(needed, at) {
    const sounding = this.#sounding(at);
    let taken = sounding.reduce((sum, voice) => sum + voice.channels, 0);
    while (sounding.length && taken + needed > MOST_VOICES) {
      const oldest = sounding.shift();
      taken -= oldest.channels;
      cut(oldest, at);
    }
  }

  // Voices that sound and were not let go.
  #sounding(at) {
    return this.#unfinished(at).filter((voice) => voice.starts <= at && voice.letGoAt > at);
  }

  // Voices that sound, fade or are scheduled.
  #unfinished(at) {
    this.#voices = this.#voices.filter((voice) => voice.ends > this.context.currentTime);
    return this.#voices.filter((voice) => voice.ends > at);
  }
}
