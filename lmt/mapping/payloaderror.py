"""Why a delivery can't be read as records."""

from __future__ import annotations


class PayloadError(ValueError):
    """A delivery that can't be read; `code` is one of those with words in `words.payload_words`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
