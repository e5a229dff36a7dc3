"""For WSGI servers: `granian --interface wsgi wsgi:app` or `gunicorn wsgi:app`."""

from __future__ import annotations

from lmt.app import create_app

app = create_app()
