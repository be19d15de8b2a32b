// A 16-step beat over the pads of a bank, and a metronome. Steps are scheduled a little ahead on the audio clock,
// because timers of a page come late.

const STEPS = 16;
const AHEAD_S = 0.12;
const TIMER_MS = 25;
const FULL = 127;

// Four grooves of our own: each line is a part, a digit its velocity in tenths, a dot a rest. `late` moves every
// second step, as a part of a step.
const GROOVES = {
  "Boom bap": {
    late: 0.24,
    parts: { kick: "9......7.8..4...", snare: "....9.......9..3", hat: "7.5.7.5.7.5.7.57" },
  },
  "Straight eights": {
    late: 0,
    parts: { kick: "9...5...9.7.....", snare: "....9.......9...", hat: "8.6.8.6.8.6.8.6." },
  },
  "Half time": {
    late: 0.12,
    parts: { kick: "9.....6...7...4.", snare: "........9.......", hat: "7474747474747676" },
  },
  "Busy break": {
    late: 0.08,
    parts: { kick: "9.8.......89....", snare: "....9..4.4..9..4", hat: "8.8.8.8.8.8.8.8." },
  },
};

export class Beat {
  #timer = null;
  #next = 0; // the step that is scheduled next, from the start of playing
  #nextAt = 0; // when, on the audio clock

  constructor(context, press, endSteps) {
    this.context = context;
    this.press = press; // called with a pad's name and { velocity, at, until, isStep }
    this.endSteps = endSteps; // called when the beat stops
    this.steps = new Map(); // velocities of the 16 steps by the pad's name
    this.tempo_bpm = 90;
    this.late = 0;
    this.hasMetronome = false;
    this.onStep = () => {};
  }

  get isPlaying() {
    return this.#timer !== null;
  }

  toggleStep(pad, step, velocity = FULL) {
    const row = this.steps.get(pad) ?? new Array(STEPS).fill(0);
    row[step] = row[step] ? 0 : velocity;
    this.steps.set(pad, row);
    return row[step];
  }

  clear() {
    this.steps.clear();
  }

  get isEmpty() {
    return ![...this.steps.values()].some((row) => row.some(Boolean));
  }

  // What a pattern is made of, and made from: 16 velocities for each pad, and the swing.
  toJSON() {
    return { steps: Object.fromEntries(this.steps), late: this.late };
  }

  show({ steps, late }) {
    this.clear();
    this.late = late;
    for (const [pad, row] of Object.entries(steps)) this.steps.set(pad, [...row]);
  }

  // Fill the steps from a groove; `padOf` says which pad plays a part, or null.
  load(name, padOf) {
    this.clear();
    this.late = GROOVES[name].late;
    for (const [part, line] of Object.entries(GROOVES[name].parts)) {
      const pad = padOf(part);
      if (pad) this.steps.set(pad, [...line].map((sign) => (sign === "." ? 0 : Math.round(Number(sign) * 14))));
    }
  }

  start() {
    if (this.isPlaying) return;
    this.#next = 0;
    this.#nextAt = this.context.currentTime + 0.05;
    this.#timer = setInterval(() => this.#schedule(), TIMER_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = null;
    this.endSteps();
    this.onStep(null);
  }

  #schedule() {
    const step_s = 60 / this.tempo_bpm / 4;
    while (this.#nextAt < this.context.currentTime + AHEAD_S) {
      const step = this.#next % STEPS;
      const at = this.#nextAt + (step % 2 ? this.late * step_s : 0);
      for (const [pad, row] of this.steps) {
        if (row[step]) this.press(pad, { velocity: row[step], at, until: at + step_s, isStep: true });
      }
      if (this.hasMetronome && step % 4 === 0) click(this.context, at, step === 0);
      this.onStep(step);
      this.#next += 1;
      this.#nextAt += step_s;
    }
  }
}

function click(context, at, isFirst) {
  const tone = new OscillatorNode(context, { frequency: isFirst ? 1500 : 1000 });
  const gain = new GainNode(context, { gain: 0 });
  gain.gain.setValueAtTime(0.25, at);
  gain.gain.exponentialRampToValueAtTime(0.001, at + 0.04);
  tone.connect(gain).connect(context.destination);
  tone.start(at);
  tone.stop(at + 0.05);
}
