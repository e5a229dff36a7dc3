"""Text that a spreadsheet shows and never computes, and the same text back when the file returns.

A cell that begins with a sign of a formula is computed by whoever opens the file
(https://owasp.org/www-community/attacks/CSV_Injection): it gets an apostrophe in front.
"""

from __future__ import annotations

import re

_MARK = "'"
_SIGNS = "=+\\-@\t\r\n＝＋－＠"
"""Full-width forms too, which spreadsheets take for the same."""
_SKIPPED = "\\s\ufeff\u200b-\u200f\u202a-\u202e\u2060-\u2069"
"""What a spreadsheet passes over, or nobody sees, before it looks at the first sign."""
# What bears the mark already gets another one, so that taking one off gives the text back.
_RUNS = re.compile(f"{_MARK}*[{_SKIPPED}]*[{_SIGNS}]")
_HARMLESS = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*|\+[1-9][0-9]{6,14}")
"""A plain number, or a phone in E.164: computing it gives the same number."""


def neutral(text: str) -> str:
    """`text` with an apostrophe in front where a spreadsheet might run it."""
    return _MARK + text if _RUNS.match(text) and not _HARMLESS.fullmatch(text) else text


def restored(text: str) -> str:
    """What `neutral` was given: `restored(neutral(text)) == text` for every text."""
    return text[1:] if text.startswith(_MARK) and _RUNS.match(text, 1) else text
