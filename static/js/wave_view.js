// Which part of a waveform is shown: `first` and `span` are shares of the whole sound.
export const WHOLE = { first: 0, span: 1 };

const clamp = (value, least, most) => Math.min(Math.max(value, least), most);

const fitted = (first, span) => ({ first: clamp(first, 0, 1 - span), span });

// Show more or less. The place `at`, a share of the sound, stays where it is.
export function zoomed(view, factor, at, most) {
  const span = clamp(view.span / factor, 1 / most, 1);
  return fitted(at - ((at - view.first) * span) / view.span, span);
}

export const movedTo = (view, first) => fitted(first, view.span);

// From a place in the sound to a place in the picture, both from 0 to 1, and back.
export const placeOf = (view, share) => (share - view.first) / view.span;
export const shareAt = (view, place) => clamp(view.first + place * view.span, 0, 1);

export const contains = (view, share) => share >= view.first && share <= view.first + view.span;
