"""The one blueprint that the pages of the reports hang on."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("reports", __name__, url_prefix="/reports", template_folder="templates")
