"""Which of a stranger's fields never reach a lead: secrets, and the machinery of their form."""

from __future__ import annotations

import re
import unicodedata

_SECRET_WORDS = (
    "googlekey token verifytoken accesstoken refreshtoken idtoken apitoken authtoken bearertoken"
    " csrftoken xsrftoken csrfmiddlewaretoken authenticitytoken requestverificationtoken apikey"
    " appsecret clientsecret signingsecret secret secretkey privatekey password"
    " passwd pwd passphrase passcode otp wpnonce nonce sessionid phpsessid grecaptcharesponse"
    " hcaptcharesponse recaptcharesponse cfturnstileresponse captcha recaptcha captchasettings"
    " passwort kennwort motdepasse contrasena haslo wachtwoord sifre parola cvv cvc cardnumber"
    " creditcardnumber ccnumber iban"
)
_SECRETS = frozenset(_SECRET_WORDS.split())
_SECRET_ENDING = re.compile(
    r"(?:password|passwd|secret|apikey|apitoken|accesstoken|authtoken|csrftoken)$"
)
_MACHINERY = re.compile(
    r"_wpcf7|_wp_http_referer|form_response\.definition\b|gform_|(?:is_submit|state)_\d+$"
    r"|(?:__viewstate|__eventvalidation)|debug(?:email)?$|_method$|utf8$|charset_?$|_charset_$"
    r"|honeypot|payload\.schema\b|oid$|returl$|encoding$|recordtype$|submit$",
    re.IGNORECASE,
)
#: Typeform calls the number of an answered form its token; it opens nothing.
_NO_SECRET = frozenset({"form_response.token"})
_NUMBERED = re.compile(r"\[\d+\]")


def is_secret(path: str) -> bool:
    """Whether any part of the path names what opens a door or an account.

    No line of a mapping may read it, and it is never kept with a lead.
    """
    bare = _NUMBERED.sub("", path)
    if bare in _NO_SECRET:
        return False
    plain = unicodedata.normalize("NFKD", bare).casefold()
    names = [re.sub(r"[^a-z0-9]", "", part) for part in plain.split(".")]
    return any(name in _SECRETS or _SECRET_ENDING.search(name) for name in names)


def is_machinery(path: str) -> bool:
    """Whether a form's software put the field there for itself: read when a line asks for it,
    else left out."""
    return _MACHINERY.match(path) is not None
