"""Fold a sentence for the rules of step 2, and remember what was typed."""

from __future__ import annotations

import unicodedata

from app.models.text_folding import strip_accents

# Quotation marks as phones type them
TYPOGRAPHIC_QUOTES = str.maketrans("“”„‟‘’", '""""\'\'')


class FoldedSentence:
    """A sentence as the rules read it, and the place in the typed sentence that each character came from."""

    def __init__(self, typed: str) -> None:
        self._typed = typed
        folded = [strip_accents(each) for each in typed]
        self.text = "".join(folded).translate(TYPOGRAPHIC_QUOTES)
        self._places = [place for place, each in enumerate(folded) for _ in each] + [len(typed)]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a part of the folded text begins and ends in the sentence as it was typed."""
        after = self._places[end - 1] + 1 if end else 0
        return self._places[start], max(self._places[end], after)

    def typed_word(self, start: int, end: int) -> str:
        """Return a part as it was typed, but in lower case and without quotation marks around it."""
        first, last = self.span(start, end)
        word = unicodedata.normalize("NFKC", self._typed[first:last].strip()).translate(TYPOGRAPHIC_QUOTES)
        return word[1:].partition('"')[0].casefold() if word.startswith('"') else word.rstrip(".").casefold()
