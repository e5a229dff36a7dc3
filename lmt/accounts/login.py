"""The door of the web pages: Flask-Security on the request's own session."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import flask
from flask import Flask, request
from flask.typing import ResponseReturnValue
from flask_babel import Babel
from flask_babel import lazy_gettext as _l
from flask_limiter.util import get_remote_address
from flask_security import views
from flask_security.core import Security
from flask_security.datastore import SQLAlchemySessionUserDatastore
from flask_security.forms import LoginForm
from flask_security.utils import get_message
from werkzeug.local import LocalProxy

from lmt import i18n, web
from lmt.accounts.mail import AccountMail
from lmt.accounts.service import SHORTEST_PASSWORD
from lmt.config import is_loopback
from lmt.models import Role, User

LOGIN_LIMITS = "10 per minute; 60 per hour"
ADDRESS_LIMITS = "30 per minute; 300 per hour"
RESET_LIMITS = "5 per minute; 20 per hour"


def register(app: Flask) -> None:
    """Hang login, logout, reset and change of password into `app`."""
    app.config.update(
        BABEL_TRANSLATION_DIRECTORIES=str(i18n.CATALOGUES),
        SECURITY_I18N_DIRNAME=[str(i18n.CATALOGUES)],
        SECURITY_I18N_DOMAIN="flask_security",
        SECURITY_STATIC_FOLDER=None,
        SECURITY_LOGIN_URL="/login",
        SECURITY_LOGOUT_URL="/logout",
        SECURITY_RESET_URL="/account/reset",
        SECURITY_CHANGE_URL="/account/change",
        SECURITY_POST_LOGIN_VIEW="/",
        SECURITY_POST_LOGOUT_VIEW="/login",
        SECURITY_POST_CHANGE_VIEW="/account/preferences",
        SECURITY_RECOVERABLE=True,
        SECURITY_CHANGEABLE=True,
        SECURITY_RESET_PASSWORD_WITHIN=timedelta(days=1),
        SECURITY_RETURN_GENERIC_RESPONSES=True,
        SECURITY_AUTO_LOGIN_AFTER_RESET=False,
        SECURITY_LOGOUT_METHODS=["POST"],
        SECURITY_PASSWORD_HASH="argon2",
        SECURITY_PASSWORD_SCHEMES=["argon2"],
        SECURITY_DEPRECATED_PASSWORD_SCHEMES=[],
        # Without a second hash keyed by a secret, changing the secret locks nobody out.
        SECURITY_PASSWORD_SINGLE_HASH=["argon2"],
        SECURITY_PASSWORD_SALT=app.config["SECRET_KEY"],
        SECURITY_PASSWORD_LENGTH_MIN=SHORTEST_PASSWORD,
        SECURITY_EMAIL_SENDER="",
        # An account is made by an administrator; asking the DNS here would only slow a reset.
        SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False},
        SECURITY_MSG_GENERIC_AUTHN_FAILED=(
            _l("The mail address or the password is wrong."),
            "error",
        ),
        SECURITY_MSG_PASSWORD_RESET_REQUEST=(
            _l("If there is an account for this address, a mail with a link is on its way."),
            "info",
        ),
        SECURITY_DEFAULT_REMEMBER_ME=False,
        # Changing a password asks for the present one; nothing else asks twice.
        SECURITY_FRESHNESS=timedelta(minutes=-1),
        SECURITY_CACHE_CONTROL={"private": None, "no-store": None},
    )
    Babel(
        app,
        locale_selector=lambda: i18n.reader().locale,
        timezone_selector=lambda: i18n.reader().timezone,
    )
    accounts = SQLAlchemySessionUserDatastore(cast(Any, LocalProxy(web.open_session)), User, Role)
    Security(
        app,
        accounts,
        mail_util_cls=AccountMail,
        render_template=_rendered,
        login_form=LoginHere,
    )
    web.public(app.blueprints["security"])
    app.view_functions.update(LIMITED_VIEWS)


class LoginHere(LoginForm):
    """Demo accounts, whose password was printed, are let in from this machine alone."""

    def validate(self, **kwargs: Any) -> bool:
        if not super().validate(**kwargs):
            return False
        if getattr(self.user, "demo", False) and not is_loopback(request.remote_addr or ""):
            # Word for word what a wrong password is told: nobody learns that the account exists.
            self.password.errors = [*self.password.errors, get_message("GENERIC_AUTHN_FAILED")[0]]
            return False
        return True


def _rendered(template: str, *args: Any, **context: Any) -> str:
    """A page for who asks; a mail for whom it is sent to."""
    recipient = context.get("user")
    if template.startswith("security/email/") and isinstance(recipient, User):
        with i18n.reading(recipient.language, recipient.timezone):
            return flask.render_template(
                template, base_url=web.settings().base_url, recipient=recipient, **context
            )
    return flask.render_template(template, *args, **context)


def _account() -> str:
    return f"{get_remote_address()} {request.form.get('email', '').strip().lower()[:200]}"


def _failed(response: flask.Response) -> bool:
    return response.status_code != 302


def _limited(view: Any, limit: str, **how: Any) -> Any:
    return web.limiter.limit(limit, methods=["POST"], **how)(view)


def _change_password() -> ResponseReturnValue:
    web.user()
    answer: ResponseReturnValue = views.change_password()
    return answer


# Made once, not for every application: the limiter remembers what it has limited.
LIMITED_VIEWS = {
    # Only attempts that failed count, by the address asked for and by where they come from.
    "security.login": _limited(
        _limited(views.login, LOGIN_LIMITS, key_func=_account, deduct_when=_failed),
        ADDRESS_LIMITS,
        deduct_when=_failed,
    ),
    "security.forgot_password": _limited(views.forgot_password, RESET_LIMITS),
    "security.change_password": _change_password,
}
