"""What counts as a mail address in a form: a rule small enough to be the same in two languages."""

from __future__ import annotations

import re

#: Any character above U+00A0 but blanks, general punctuation (which holds the marks that turn the
#: direction of writing) and halves of surrogate pairs.
_BEYOND = "\u00a1-\u167f\u1681-\u1fff\u2070-\u2fff\u3001-\ud7ff\ue000-\ufefe\uff00-\U0010ffff"
ATOM = rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~{_BEYOND}-]+"
LABEL = rf"[A-Za-z0-9{_BEYOND}](?:[A-Za-z0-9{_BEYOND}-]{{0,61}}[A-Za-z0-9{_BEYOND}])?"
LAST_LABEL = rf"(?:[A-Za-z{_BEYOND}]{{1,63}}|[Xx][Nn]--[A-Za-z0-9-]{{0,58}}[A-Za-z0-9])"
LONGEST_LOCAL = 64
LONGEST_DOMAIN = 253

_LOCAL = re.compile(rf"{ATOM}(?:\.{ATOM})*")
_DOMAIN = re.compile(rf"(?:{LABEL}\.)+{LAST_LABEL}")


def is_email(text: str) -> bool:
    """Does it look like a mail address that somebody could have?

        address    = local "@" domain
        local      = 1*atext *("." 1*atext)         ; at most 64 characters
        domain     = 1*(label ".") last             ; at most 253 characters
        label      = let-dig [*61(let-dig / "-") let-dig]
        last       = 1*63letter / "xn--" 1*59(ALPHA / DIGIT / "-"), not ending in "-"
        atext      = ALPHA / DIGIT / "!#$%&'*+-/=?^_`{|}~" / beyond
        let-dig    = letter / DIGIT
        letter     = ALPHA / beyond

    `atext` is RFC 5322 3.2.3, the lengths are RFC 5321 4.5.3.1 (in characters here, not octets),
    the domain is RFC 5321 4.1.2 with RFC 1035 2.3.4, `beyond` what RFC 6531 3.3 adds: U+00A1 and
    above, without blanks, U+2000 to U+206F and surrogates. Quoted local parts and addresses of
    numbers are legal and refused: among visitors they are slips of the pen.
    """
    local, at, domain = text.partition("@")
    return bool(
        at
        and len(local) <= LONGEST_LOCAL
        and len(domain) <= LONGEST_DOMAIN
        and _LOCAL.fullmatch(local)
        and _DOMAIN.fullmatch(domain)
    )
