"""What somebody types to say where they are, in one input: a postcode, a place, or both."""

from __future__ import annotations

from lmt.forms.digits import count_of_digits


def postcode_and_city(typed: str) -> tuple[str, str]:
    """`60311 Frankfurt` → (`60311`, `Frankfurt`); either may be "".

    What holds a digit is of the postcode, and so is a short word in capitals behind it that
    belongs to one, as in `1012 AB Amsterdam`.
    """
    words = typed.replace(",", " , ").split()
    numbered = [at for at, word in enumerate(words) if count_of_digits(word)]
    if not numbered:
        return "", " ".join(typed.split())
    first, last = numbered[0], numbered[-1]
    if last + 1 < len(words) and _is_of_code(words[last], words[last + 1]):
        last += 1
    rest = [*words[:first], *words[last + 1 :]]
    return " ".join(words[first : last + 1]), " ".join(rest).replace(" ,", ",").strip(" ,")


def _is_of_code(number: str, word: str) -> bool:
    return number.isdecimal() and len(word) == 2 and word.isascii() and word.isalpha()
