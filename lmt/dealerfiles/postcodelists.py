"""A dealer's territory as lists write it: postcodes, prefixes ("10*", "20xxx") and ranges
("10115-10119"), turned into the prefixes that routing compares."""

from __future__ import annotations

import re

from lmt.routing.territory import plain_postcode

MOST_PREFIXES = 20_000
LONGEST_CODE = 12
_SEPARATORS = re.compile(r"\s*[,;|\n،؛]\s*")
_RANGE = re.compile(r"(\d+)\s*(?:-|–|—|\.\.\.?|…|\bto\b|\bbis\b)\s*(\d+)", re.I)
_WILD = re.compile(r"(?:[*%]|\.{3}|…|(?<=\d)[xX]+)$")


class BadPostcodeList(ValueError):
    """A part of the list that is neither a postcode, nor a prefix, nor a range; its text."""


def postcode_prefixes(text: str) -> tuple[str, ...]:
    """Prefixes in capitals, without blanks and hyphens, sorted.

    One within another is kept: against a third dealer's the longest counts. Only two numbers of
    the same length are a range ("101-105"); "00-950" is a Polish postcode. Raises BadPostcodeList
    for what can't be read, and for more than 20,000 prefixes.
    """
    found: set[str] = set()
    for part in _SEPARATORS.split(text.strip()):
        if not part:
            continue
        span = _RANGE.fullmatch(part)
        if span and len(span[1]) == len(span[2]) <= LONGEST_CODE:
            if span[1] > span[2]:
                raise BadPostcodeList(part)
            found.update(_covering(span[1], span[2]))
        else:
            plain = _WILD.sub("", part)
            code = plain_postcode(plain)
            if not code or len(code) > LONGEST_CODE or not re.fullmatch(r"[\w\s-]+", plain):
                raise BadPostcodeList(part)
            found.add(code)
        if len(found) > MOST_PREFIXES:
            raise BadPostcodeList(part)
    return tuple(sorted(found))


def _covering(first: str, last: str) -> list[str]:
    """The fewest prefixes that hold all numbers of this length from the first to the last."""
    if first == last:
        return [first]
    found: list[str] = []
    for digit in range(int(first[0]), int(last[0]) + 1):
        low = first[1:] if digit == int(first[0]) else "0" * (len(first) - 1)
        high = last[1:] if digit == int(last[0]) else "9" * (len(last) - 1)
        if not low.strip("0") and not high.strip("9"):
            found.append(str(digit))
        else:
            found += [f"{digit}{rest}" for rest in _covering(low, high)]
    return found
