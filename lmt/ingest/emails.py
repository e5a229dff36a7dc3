"""Is this an address a mail could be sent to? Judged by its syntax alone, without the network."""

from __future__ import annotations

import re

from email_validator import EmailNotValidError, validate_email

from lmt.ingest.characters import clean_line

_WRAPPING = re.compile(r"^(?:mailto:|<|\"|')+|(?:[>\"',;]|\.)+$", re.I)
_AROUND_AT = re.compile(r"\s*[@\uff20]\s*")


def email_address(text: str) -> str:
    """The address with its domain in lower case, or "" when it is none.

    International domains come back in their own script (`info@müller.de`); whoever sends to them
    encodes the domain. Names reserved for tests (`.test`) pass.
    """
    given = _AROUND_AT.sub("@", clean_line(text).strip())
    given = _WRAPPING.sub("", given.rpartition("<")[2] if given.endswith(">") else given)
    if not given or len(given) > 320:
        return ""
    try:
        return validate_email(given, check_deliverability=False, test_environment=True).normalized
    except (EmailNotValidError, UnicodeError):
        return ""
