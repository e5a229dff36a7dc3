"""The web application as a server's process starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lmt.collector import starting

if TYPE_CHECKING:
    from flask import Flask


def application() -> Flask:
    """The application of the environment's settings; raises as `lmt.app.create_app`."""
    with starting():
        from lmt.app import create_app

        return create_app()
