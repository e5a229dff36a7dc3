"""The one blueprint that the doors of deliveries hang on; open to anybody who has a key."""

from __future__ import annotations

from flask import Blueprint

from lmt import web
from lmt.ingest import machines
from lmt.ingest.accept import SourceChanged

blueprint = Blueprint("ingest", "lmt.ingest.routes")
web.public(blueprint)
blueprint.register_error_handler(machines.Problem, machines.answer_problem)
blueprint.register_error_handler(SourceChanged, machines.answer_anew)
