"""People who log in, the permissions of their roles, and the part of the world they see."""

from __future__ import annotations

from flask_security.core import RoleMixin, UserMixin
from sqlalchemy import CheckConstraint, Column, ForeignKey, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import Text

from lmt.db import Base
from lmt.models.dealer import DealerGroup

role_user = Table(
    "role_user",
    Base.metadata,
    Column("user_id", ForeignKey("user.id"), primary_key=True),
    Column("role_id", ForeignKey("role.id"), primary_key=True),
)


class Role(RoleMixin, Base):
    """A named set of permissions, editable."""

    __tablename__ = "role"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(default="")
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)


class User(UserMixin, Base):
    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    language: Mapped[str] = mapped_column(default="en")
    timezone: Mapped[str] = mapped_column(default="UTC")
    skills: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """Services the person is good at; empty for all of them."""
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """Languages the person speaks with customers; empty for all of them."""
    week_start: Mapped[int | None]
    """0 is Monday; None: as their language has it."""
    number_style: Mapped[str] = mapped_column(default="", server_default="")
    """A locale whose numbers they read (`de`, `ar_EG`); "" for their language's."""
    demo: Mapped[bool] = mapped_column(default=False)
    """Made by `lmt demo`: while one lives, only the loopback address is served."""
    roles: Mapped[list[Role]] = relationship(  # type: ignore[assignment]
        secondary=role_user, lazy="selectin"
    )
    scopes: Mapped[list[UserScope]] = relationship(back_populates="user", lazy="selectin")

    def may(self, permission: str) -> bool:
        return any(permission in role.permissions for role in self.roles)


class UserScope(Base):
    """A part of the world that a user sees: everything, a market, a group of dealers, or a dealer.

    A brand narrows the part to that brand's leads. A user without a row sees nothing.
    """

    __tablename__ = "user_scope"
    __table_args__ = (
        CheckConstraint("num_nonnulls(market_id, dealer_id, group_id) <= 1", name="one_part"),
        UniqueConstraint(
            "user_id",
            "market_id",
            "dealer_id",
            "group_id",
            "brand_id",
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    market_id: Mapped[int | None] = mapped_column(ForeignKey("market.id"))
    dealer_id: Mapped[int | None] = mapped_column(ForeignKey("dealer.id"), index=True)
    group_id: Mapped[int | None] = mapped_column(ForeignKey("dealer_group.id"), index=True)
    brand_id: Mapped[int | None] = mapped_column(ForeignKey("brand.id"))
    user: Mapped[User] = relationship(back_populates="scopes")
    group: Mapped[DealerGroup | None] = relationship(lazy="joined")
