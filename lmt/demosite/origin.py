"""Where the demo's brand site stands: this machine under its other name, so another origin."""

from __future__ import annotations

from urllib.parse import urlsplit

_OTHER_NAME = {"127.0.0.1": "localhost", "::1": "localhost", "localhost": "127.0.0.1"}


def site_origin(base_url: str) -> str:
    """The origin of the site for an installation at `base_url`; "" where it has no other name.

    To a browser `http://localhost:8000` and `http://127.0.0.1:8000` are strangers, as two
    companies' sites are.
    """
    own = urlsplit(base_url)
    other = _OTHER_NAME.get(own.hostname or "", "")
    if not other:
        return ""
    return f"{own.scheme}://{other}" + (f":{own.port}" if own.port else "")
