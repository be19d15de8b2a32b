"""What a sound may be called. Apart from the ear, whose libraries a web process never loads."""

LOOP, ONE_SHOT = "loop", "one-shot"
KINDS = (LOOP, ONE_SHOT)
DRUMS = ("kick", "snare", "clap", "hi-hat", "tom", "cymbal", "percussion")
TONES = ("bass", "keys", "lead", "pad", "vocal-like", "fx")
SOUNDS = (*DRUMS, *TONES)
