"""The doors of the intake in the OpenAPI document, beside the API that describes itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apispec import APISpec
from flask import Flask

from lmt.api.shapes import SCHEMAS

_JSON = "application/json"
_PROBLEM = "application/problem+json"
_CODE = {
    "name": "code",
    "in": "path",
    "description": "The code of the source",
}
_WAIT = {
    "name": "Prefer",
    "in": "header",
    "description": "Wait up to so many seconds for the routed result.",
    "schema": {"type": "string", "examples": ["wait=5"]},
}
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key with the same body is the same delivery.",
    "schema": {"type": "string"},
}


def describe_intake(app: Flask, spec: APISpec) -> None:
    """Add the doors, their bodies and all they answer to the document. They are hung in already."""
    for name, schema in SCHEMAS.items():
        spec.components.schema(name, schema)
    schemes = {
        "query_key": {"type": "apiKey", "in": "query", "name": "key"},
        "query_token": {"type": "apiKey", "in": "query", "name": "token"},
        "signature": {
            "type": "apiKey",
            "in": "header",
            "name": "X-Hub-Signature-256",
            "description": "HMAC-SHA256 of the raw body; the header is the platform's or form's",
        },
    }
    for name, scheme in schemes.items():
        spec.components.security_scheme(name, scheme)
    for endpoint, (method, operation) in OPERATIONS.items():
        rule = next(app.url_map.iter_rules(f"ingest.{endpoint}"))
        parameters = [dict(_CODE)] if "code" in rule.arguments else []
        spec.path(rule=rule, operations={method: dict(operation)}, parameters=parameters)


def _schema(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, schema: str = "", media: str = _JSON) -> dict[str, Any]:
    content = {media: {"schema": _schema(schema)}} if schema else {}
    return {"description": description, **({"content": content} if content else {})}


_WORDS = {
    "400": "It can't be understood",
    "401": "Nobody vouches for it: no key or signature, or a wrong or an old one; not kept",
    "403": "Nobody vouches for it; not kept",
    "404": "No active source of this kind has this address",
    "413": "Larger than this installation takes",
    "422": "Kept, but no lead was found in it; `errors` names the fields",
    "429": "Too many from this address",
    "500": "Kept; a person will look",
    "503": "Nothing was kept: send it again",
}


def _problems(*codes: str, schema: str = "Problem", media: str = _PROBLEM) -> dict[str, Any]:
    return {code: _answer(_WORDS[code], schema, media) for code in codes}


def _body(schema: dict[str, Any], *media: str) -> dict[str, Any]:
    return {"required": True, "content": {each: {"schema": schema} for each in media}}


def _operation(summary: str, **told: Any) -> dict[str, Any]:
    return {"summary": summary, "tags": ["intake"], **told}


_DELIVERED = {
    "200": _answer("Routed within the time the caller waited", "Delivered"),
    "202": {
        "description": "Durable; routing goes on",
        "content": {_JSON: {"schema": {"anyOf": [_schema("Delivered"), _schema("Kept")]}}},
    },
}
_KEPT_OR_NOT = {"200": _answer("Durable; or nothing in it was new")}
_VISITOR = {
    "200": _answer("A page of thanks"),
    "303": _answer("On to the page that the form or the source names"),
    **{code: _answer(_WORDS[code]) for code in ("404", "413", "429", "503")},
}
_FORM = _body(_schema("WebToLead"), "application/x-www-form-urlencoded", "multipart/form-data")
_ENCODING = {"name": "encoding", "in": "query", "schema": {"type": "string"}}
_ORG = {"name": "orgId", "in": "query", "schema": {"type": "string"}}

OPERATIONS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "adf": (
        "post",
        _operation(
            "Send ADF/XML, one or several prospects",
            security=[{"key": []}],
            parameters=[_IDEMPOTENCY, _WAIT],
            requestBody=_body({"type": "string"}, "application/x-adf+xml", "text/xml"),
            responses={
                **_DELIVERED,
                **_problems("401", "403", "413", "422", "500", "503"),
            },
        ),
    ),
    "any_json": (
        "post",
        _operation(
            "Send any JSON or form, read by the source's mapping",
            security=[{"key": []}, {"query_key": []}, {"signature": []}],
            parameters=[_IDEMPOTENCY, _WAIT],
            requestBody=_body(
                {"type": "object", "additionalProperties": True},
                _JSON,
                "application/x-www-form-urlencoded",
                "multipart/form-data",
            ),
            responses={
                **_DELIVERED,
                **_problems("401", "404", "413", "422", "500", "503"),
            },
        ),
    ),
    "google": (
        "post",
        _operation(
            "Google Ads lead form webhook; the key is in the body",
            security=[],
            requestBody=_body(_schema("GoogleLead"), _JSON),
            responses={
                "200": _answer("Durable"),
                **_problems("400", "403", "404", "422", "503", schema="GoogleMessage", media=_JSON),
                **_problems("413"),
            },
        ),
    ),
    "meta_verification": (
        "get",
        _operation(
            "Meta verifies the address",
            security=[],
            parameters=[
                {"name": f"hub.{name}", "in": "query", "schema": {"type": "string"}}
                for name in ("mode", "verify_token", "challenge")
            ],
            responses={
                "200": {
                    "description": "The challenge",
                    "content": {"text/plain": {"schema": {"type": "string"}}},
                },
                **_problems("403", "404", "503"),
            },
        ),
    ),
    "meta": (
        "post",
        _operation(
            "Meta announces leads, which are then fetched",
            security=[{"signature": []}],
            requestBody=_body(_schema("MetaNotice"), _JSON),
            responses={**_KEPT_OR_NOT, **_problems("401", "404", "413", "503")},
        ),
    ),
    "linkedin_verification": (
        "get",
        _operation(
            "LinkedIn validates the address",
            security=[],
            parameters=[
                {
                    "name": "challengeCode",
                    "in": "query",
                    "required": True,
                    "schema": {"type": "string", "pattern": "^[A-Za-z0-9-]{1,200}$"},
                }
            ],
            responses={
                "200": _answer("The challenge and its signature"),
                **_problems("400", "404", "503"),
            },
        ),
    ),
    "linkedin": (
        "post",
        _operation(
            "LinkedIn announces responses, which are then fetched, or their deletion",
            security=[{"signature": []}],
            requestBody=_body(_schema("LinkedInNotice"), _JSON),
            responses={**_KEPT_OR_NOT, **_problems("401", "404", "413", "503")},
        ),
    ),
    "tiktok": (
        "post",
        _operation(
            "TikTok sends leads, each taken in for itself",
            security=[{"query_token": []}],
            requestBody=_body(_schema("TikTokLeads"), _JSON),
            responses={
                "200": _answer("Durable, all of them; `kept` counts those to be mended"),
                **_problems("401", "404", "413", "503"),
            },
        ),
    ),
    "web_to_lead": (
        "post",
        _operation(
            "A Web-to-Lead form, its source named by the address",
            security=[],
            parameters=[_ENCODING],
            requestBody=_FORM,
            responses=_VISITOR,
        ),
    ),
    "web_to_lead_by_oid": (
        "post",
        _operation(
            "A Web-to-Lead form, its source named by `oid`",
            security=[],
            parameters=[_ENCODING, _ORG],
            requestBody=_FORM,
            responses=_VISITOR,
        ),
    ),
}
"""Endpoint of the intake → its method and what it takes and answers."""
