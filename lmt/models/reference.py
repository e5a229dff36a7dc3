"""References that people read out on the phone."""

from __future__ import annotations

import secrets

# Crockford's base 32: no I, L, O, U, so nothing is misheard or misread.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_reference() -> str:
    """Eight random letters, `K7QF-2M9D`: 10^12 of them, so a guess finds nothing."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"
