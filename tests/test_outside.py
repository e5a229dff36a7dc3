"""The one way out: whom it asks, whom it refuses, and how long it waits."""

from __future__ import annotations

import time
from ipaddress import ip_address

import pytest

from lmt.config import BadSetting, from_environment
from lmt.outside import Outside, OutsideError, is_public
from tests.stand_ins import Reply, in_turn, stand_in


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.31.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        # Private addresses inside public ones.
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::5db8:d70e", True),
        ("2002:a00:1::", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://[::1]:1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "file:///etc/passwd",
        "ftp://example.com/",
        "http://user:secret@example.com/",
        "http:///nowhere",
        "http://exa mple.com/",
        "nonsense",
        "",
    ],
)
def test_what_is_refused_without_a_question(url: str) -> None:
    outside = Outside(resolve=lambda _host, _port: ["127.0.0.1"])
    with pytest.raises(OutsideError) as problem:
        outside.ask("GET", url, timeout_seconds=1)
    assert problem.value.code == "refused"
    assert "secret" not in str(problem.value)


def test_a_name_that_leads_home_is_refused_even_beside_a_public_address() -> None:
    with stand_in(Reply({})) as server:
        outside = Outside(resolve=lambda _host, _port: ["93.184.215.14", "127.0.0.1"])
        with pytest.raises(OutsideError, match="refused"):
            outside.ask("GET", f"http://rebound.example:{server.target[1]}/", timeout_seconds=1)
        assert server.asked == []


def test_a_private_target_is_asked_by_its_host_and_port_only() -> None:
    with stand_in(Reply({"fine": True})) as server, stand_in(Reply({})) as other:
        outside = Outside([server.target])
        answer = outside.ask("GET", f"{server.url}/a?b=c", timeout_seconds=2)
        assert (answer.status, answer.json()) == (200, {"fine": True})
        assert (server.asked[0].path, server.asked[0].query) == ("/a", {"b": "c"})
        with pytest.raises(OutsideError, match="refused"):
            outside.ask("GET", other.url, timeout_seconds=2)
        assert other.asked == []


def test_the_name_is_resolved_once_and_the_server_sees_it() -> None:
    with stand_in(Reply({})) as server:
        resolved: list[str] = []

        def resolve(host: str, _port: int) -> list[str]:
            resolved.append(host)
            return ["127.0.0.1"]

        port = server.target[1]
        outside = Outside([("osrm.example", port)], resolve=resolve)
        outside.ask("GET", f"http://OSRM.example:{port}/", timeout_seconds=2)
        assert resolved == ["osrm.example"]
        assert server.asked[0].headers["host"] == f"osrm.example:{port}"


def test_a_redirect_is_not_followed() -> None:
    with (
        stand_in(Reply({"secret": True})) as inside,
        stand_in(Reply({}, 302, {"Location": inside.url})) as server,
    ):
        answer = Outside([server.target, inside.target]).ask("GET", server.url, timeout_seconds=2)
        assert (answer.status, answer.ok) == (302, False)
        assert inside.asked == []


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with stand_in(Reply({})) as proxy, stand_in(Reply({})) as server:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        Outside([server.target]).ask("GET", server.url, timeout_seconds=2)
        assert (len(server.asked), len(proxy.asked)) == (1, 0)


@pytest.mark.parametrize("reply", [Reply(never=True), Reply(slowly=True)], ids=["silent", "drip"])
def test_time_is_up_as_a_whole(reply: Reply) -> None:
    with stand_in(reply) as server:
        before = time.monotonic()
        with pytest.raises(OutsideError, match="timeout"):
            Outside([server.target]).ask("GET", server.url, timeout_seconds=0.5)
        assert time.monotonic() - before < 1.5


def test_a_resolver_that_hangs_is_left_alone() -> None:
    with stand_in(Reply({})) as server:

        def resolve(_host: str, _port: int) -> list[str]:
            server.ending.wait(30)
            return []

        with pytest.raises(OutsideError, match="timeout"):
            Outside(resolve=resolve).ask("GET", "http://slow.example/", timeout_seconds=0.2)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(b"x" * 2_000_000), "too_large"),
        (Reply({}, headers={"Content-Encoding": "gzip"}), "unreadable"),
    ],
)
def test_what_is_too_much_or_packed_is_not_read(reply: Reply, code: str) -> None:
    with stand_in(reply) as server, pytest.raises(OutsideError) as problem:
        Outside([server.target]).ask("GET", server.url, timeout_seconds=2)
    assert problem.value.code == code


def test_nobody_there() -> None:
    with stand_in(in_turn(Reply({}))) as server:
        gone, target = server.url, server.target
    with pytest.raises(OutsideError, match="unreachable"):
        Outside([target]).ask("GET", gone, timeout_seconds=2)
    unknown = Outside(resolve=lambda _host, _port: [])
    with pytest.raises(OutsideError, match="unreachable"):
        unknown.ask("GET", "http://unknown.example/", timeout_seconds=2)


def test_settings_of_services() -> None:
    settings = from_environment(
        {
            "LMT_SECRET_KEY": "a secret of the tests, of no worth elsewhere",
            "LMT_GEOCODERS": "photon, Google",
            "LMT_PHOTON_URL": "https://photon.example/",
            "LMT_GOOGLE_GEOCODER_KEY": "abc",
            "LMT_OSRM_URL": "http://10.0.0.7:5000/",
            "LMT_PRIVATE_TARGETS": "10.0.0.7:5000, [::1]:80,OSRM.example:5000",
        }
    )
    assert [(each.name, each.url) for each in settings.geocoders] == [
        ("photon", "https://photon.example"),
        ("google", ""),
    ]
    assert settings.osrm_url == "http://10.0.0.7:5000"
    assert settings.private_targets == {("10.0.0.7", 5000), ("::1", 80), ("osrm.example", 5000)}
    assert "abc" not in repr(settings)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"LMT_GEOCODERS": "mapquest"}, "LMT_GEOCODERS"),
        ({"LMT_GEOCODERS": "nominatim"}, "LMT_NOMINATIM_URL"),
        ({"LMT_GEOCODERS": "google"}, "LMT_GOOGLE_GEOCODER_KEY"),
        ({"LMT_GEOCODERS": "opencage"}, "LMT_OPENCAGE_KEY"),
        ({"LMT_GEOCODERS": "photon", "LMT_PHOTON_URL": "photon.example"}, "LMT_PHOTON_URL"),
        ({"LMT_OSRM_URL": "http://me:secret@osrm.example"}, "LMT_OSRM_URL"),
        ({"LMT_OSRM_URL": "http://osrm.example:no"}, "LMT_OSRM_URL"),
        ({"LMT_PRIVATE_TARGETS": "10.0.0.7"}, "LMT_PRIVATE_TARGETS"),
        ({"LMT_PRIVATE_TARGETS": "http://10.0.0.7:80"}, "LMT_PRIVATE_TARGETS"),
        ({"LMT_GEOCODER_TIMEOUT_SECONDS": "0"}, "LMT_GEOCODER_TIMEOUT_SECONDS"),
    ],
)
def test_a_setting_that_cannot_be_is_named(given: dict[str, str], named: str) -> None:
    secret = {"LMT_SECRET_KEY": "a secret of the tests, of no worth elsewhere"}
    with pytest.raises(BadSetting, match=named):
        from_environment(secret | given)
