"""References that people read out on the phone."""

from __future__ import annotations

import secrets

# Crockford's base 32: no I, L, O, U, so nothing is misheard or misread.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SHIFTS = range(0, 40, 5)


def new_reference() -> str:
    """Eight random letters, `K7QF-2M9D`: 10^12 of them, so a guess finds nothing."""
    drawn = secrets.randbits(40)
    letters = "".join([_LETTERS[drawn >> shift & 31] for shift in _SHIFTS])
    return f"{letters[:4]}-{letters[4:]}"
