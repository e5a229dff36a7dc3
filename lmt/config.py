"""Settings, read once from the environment; `docs/configuration.md` lists every variable."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit

LOCALES = ("en", "fr", "de", "es", "pl", "nl", "tr", "ar")
SHORTEST_SECRET = 32
_REPLY_ADDRESS = re.compile(r"[a-z0-9._-]{1,20}@[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+")
GEOCODERS = ("nominatim", "photon", "pelias", "google", "opencage")


class BadSetting(ValueError):
    """A variable holds what it can't; the message names it."""


@dataclass(frozen=True, slots=True)
class GeocoderAccess:
    """Where a geocoder of `GEOCODERS` is asked, "" for its only address, and with what key."""

    name: str
    url: str = ""
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """What an installation decides about itself. Times in seconds, sizes in bytes."""

    instance: Path
    database_url: str = field(repr=False)
    listen_database_url: str = field(repr=False)
    base_url: str
    host: str
    port: int
    web_threads: int
    secret_key: str = field(repr=False)
    smtp_url: str = field(repr=False)
    mail_from: str
    ratelimit_storage_uri: str
    max_body_bytes: int
    max_import_bytes: int
    poll_seconds: float
    log_level: str
    geocoders: tuple[GeocoderAccess, ...] = ()
    geocoder_timeout_seconds: float = 3.0
    osrm_url: str = ""
    private_targets: frozenset[tuple[str, int]] = frozenset()
    tiles_url: str = ""
    tiles_credit: str = ""
    reply_address: str = ""
    """Where answers to our mails go, in small letters; "" where nobody reads them."""
    reports_database_url: str = field(default="", repr=False)
    """A replica that reports are asked of; "" for the database itself."""
    currency: str = "EUR"
    """In which all markets are told together (ISO 4217)."""
    keep_event_months: int = 0
    """So many months of leads' histories stay; 0 for all."""
    keep_intake_months: int = 0
    """So many months of deliveries as they came stay; 0 for all."""
    trusted_proxies: int = 0
    """How many proxies in front name the visitor's address; what they say is believed."""

    @property
    def embedded(self) -> bool:
        """True where no DATABASE_URL was given, so LMT brings its own PostgreSQL."""
        return not self.database_url

    @property
    def mailbox(self) -> Path:
        """Folder that receives mail while no SMTP server is set."""
        return self.instance / "mailbox"

    @property
    def demo_file(self) -> Path:
        """What `lmt demo` made, for `lmt demo --json`; readable by its owner alone."""
        return self.instance / "demo.json"

    @property
    def loopback(self) -> bool:
        return is_loopback(self.host)

    @property
    def own_address(self) -> str:
        """Where the web process is asked on this machine, without a path."""
        return address_of(self.host, self.port)


def is_loopback(host: str) -> bool:
    """Can `host`, a name or an address, be reached from this machine alone?"""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def address_of(host: str, port: int) -> str:
    """As a URL writes it: an IPv6 address in brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def from_environment(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from `environ` (default: the process's). Raises BadSetting, naming the variable."""
    env = os.environ if environ is None else environ
    instance = Path(env.get("LMT_INSTANCE", "instance")).absolute()
    host, port = env.get("LMT_HOST", "127.0.0.1"), _whole(env, "LMT_PORT", 8000)
    database_url = _psycopg(env, "DATABASE_URL")
    smtp_url = env.get("SMTP_URL", "")
    if smtp_url and not smtp_url.startswith(("smtp://", "smtps://")):
        raise BadSetting("SMTP_URL must begin with smtp:// or smtps://")
    return Settings(
        instance=instance,
        database_url=database_url,
        listen_database_url=_psycopg(env, "LISTEN_DATABASE_URL") or database_url,
        base_url=env.get("LMT_BASE_URL", address_of(host, port)).rstrip("/"),
        host=host,
        port=port,
        web_threads=_whole(env, "LMT_WEB_THREADS", 16),
        secret_key=_given_secret(env) or _own_secret(instance),
        smtp_url=smtp_url,
        mail_from=env.get("LMT_MAIL_FROM", "LMT <leads@lmt.example>"),
        ratelimit_storage_uri=env.get("RATELIMIT_STORAGE_URI", "memory://"),
        max_body_bytes=_whole(env, "LMT_MAX_BODY_BYTES", 2 * 1024 * 1024),
        max_import_bytes=_whole(env, "LMT_MAX_IMPORT_BYTES", 300_000_000),
        poll_seconds=float(_whole(env, "LMT_POLL_SECONDS", 2)),
        log_level=env.get("LMT_LOG_LEVEL", "INFO").upper(),
        geocoders=_geocoders(env),
        geocoder_timeout_seconds=float(_whole(env, "LMT_GEOCODER_TIMEOUT_SECONDS", 3)),
        osrm_url=_web_address("LMT_OSRM_URL", env.get("LMT_OSRM_URL", "")),
        private_targets=_private_targets(env),
        tiles_url=_web_address("LMT_TILES_URL", env.get("LMT_TILES_URL", "")),
        tiles_credit=env.get("LMT_TILES_CREDIT", ""),
        reply_address=_reply_address(env),
        reports_database_url=_psycopg(env, "REPORTS_DATABASE_URL"),
        currency=_currency(env),
        keep_event_months=_whole(env, "LMT_KEEP_EVENT_MONTHS", 0, least=0),
        keep_intake_months=_whole(env, "LMT_KEEP_INTAKE_MONTHS", 0, least=0),
        trusted_proxies=_whole(env, "LMT_TRUSTED_PROXIES", 0, least=0),
    )


def _currency(env: Mapping[str, str]) -> str:
    code = env.get("LMT_CURRENCY", "EUR").strip().upper()
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise BadSetting("LMT_CURRENCY must be a code of three letters, such as EUR")
    return code


def _geocoders(env: Mapping[str, str]) -> tuple[GeocoderAccess, ...]:
    """The geocoders named, in their order, each with the address or the key that it needs."""
    urls = {
        "nominatim": env.get("LMT_NOMINATIM_URL", ""),
        "photon": env.get("LMT_PHOTON_URL", ""),
        "pelias": env.get("LMT_PELIAS_URL", ""),
    }
    keys = {
        "pelias": env.get("LMT_PELIAS_KEY", ""),
        "google": env.get("LMT_GOOGLE_GEOCODER_KEY", ""),
        "opencage": env.get("LMT_OPENCAGE_KEY", ""),
    }
    named = [each.strip().lower() for each in env.get("LMT_GEOCODERS", "").split(",")]
    found: list[GeocoderAccess] = []
    for name in dict.fromkeys(each for each in named if each):
        if name not in GEOCODERS:
            raise BadSetting(f"LMT_GEOCODERS knows {', '.join(GEOCODERS)}, not {name!r}")
        # It will see where customers live: nobody is asked whom the operator didn't choose.
        if name in urls and not urls[name]:
            raise BadSetting(f"LMT_{name.upper()}_URL must be set for the geocoder {name}")
        if name not in urls and not keys[name]:
            variable = "LMT_GOOGLE_GEOCODER_KEY" if name == "google" else "LMT_OPENCAGE_KEY"
            raise BadSetting(f"{variable} must be set for the geocoder {name}")
        url = _web_address(f"LMT_{name.upper()}_URL", urls.get(name, ""))
        found.append(GeocoderAccess(name, url, keys.get(name, "")))
    return tuple(found)


def _reply_address(env: Mapping[str, str]) -> str:
    """A bare address; there must be room before its @ for what tells the mails apart."""
    address = env.get("LMT_REPLY_ADDRESS", "").strip().lower()
    if address and not _REPLY_ADDRESS.fullmatch(address):
        raise BadSetting(
            "LMT_REPLY_ADDRESS must be an address such as leads@brand.example, with 20 letters,"
            " digits, dots, hyphens and underscores at most before the @"
        )
    return address


def _web_address(name: str, url: str) -> str:
    """An http or https address without user, query and last stroke; "" stays."""
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or parts.query or parts.fragment:
        raise BadSetting(f"{name} must look like https://host/path")
    return url.rstrip("/")


def _private_targets(env: Mapping[str, str]) -> frozenset[tuple[str, int]]:
    """host:port pairs; an IPv6 address stands in brackets."""
    found = set()
    for each in env.get("LMT_PRIVATE_TARGETS", "").split(","):
        if not each.strip():
            continue
        try:
            parts = urlsplit(f"//{each.strip()}")
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or not port or parts.netloc != each.strip() or "@" in each:
            raise BadSetting(f"LMT_PRIVATE_TARGETS must list host:port, not {each.strip()!r}")
        found.add((host, port))
    return frozenset(found)


def _whole(env: Mapping[str, str], name: str, default: int, *, least: int = 1) -> int:
    value = env.get(name, "") or str(default)
    if not value.isdecimal() or int(value) < least:
        raise BadSetting(f"{name} must be a whole number above {least - 1}, not {value!r}")
    return int(value)


def _psycopg(env: Mapping[str, str], name: str) -> str:
    """The address with the driver named, so that both spellings of the scheme work."""
    url = env.get(name, "")
    scheme, separator, rest = url.partition("://")
    if not separator:
        if url:
            raise BadSetting(f"{name} must look like postgresql://user:password@host/name")
        return ""
    if scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise BadSetting(f"{name} must name a PostgreSQL server, not {scheme!r}")
    return f"postgresql+psycopg://{rest}"


def _given_secret(env: Mapping[str, str]) -> str:
    key = env.get("LMT_SECRET_KEY", "")
    if key and len(key.strip()) < SHORTEST_SECRET:
        raise BadSetting(f"LMT_SECRET_KEY must have {SHORTEST_SECRET} characters or more")
    return key


def _own_secret(instance: Path) -> str:
    """A random key kept in the instance folder, so that sessions outlive a restart."""
    path = instance / "secret_key"
    if not path.exists():
        _keep_secret(path, secrets.token_urlsafe(48))
    key = path.read_text()
    if len(key.strip()) < SHORTEST_SECRET:
        raise BadSetting(
            f"LMT_SECRET_KEY is not set, and {path} holds fewer than {SHORTEST_SECRET} characters:"
            " delete it to get a new one, which ends all sessions and links"
        )
    return key


def _keep_secret(path: Path, key: str) -> None:
    """Whole or not at all, also when the machine stops; the first of several processes wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)
