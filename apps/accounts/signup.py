"""What happens when a person joins, and when they change their mind about training."""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import transaction

from apps.accounts import consent
from apps.accounts.models import Consent, User


def join(make: Callable[[], User], *, allows_training: bool) -> User:
    """Make the account together with what the person answered on the form.

    make    stores the person and their address; called inside the transaction
    Effect  an act: the person, the address and three consent rows, or nothing. The answers are as old as the account.
    """
    answers = {Consent.Kind.TERMS: True, Consent.Kind.PRIVACY: True, Consent.Kind.TRAINING: allows_training}
    with transaction.atomic(durable=True):
        user = make()
        for kind, given in answers.items():
            consent.record(user, kind, given=given, version=consent.VERSIONS[kind], now=user.date_joined)
    return user


def accept(user: User, kinds: Iterable[Consent.Kind], *, now: datetime) -> None:
    """Keep that a person accepted the texts in force. An act: a row for each."""
    with transaction.atomic(durable=True):
        for kind in kinds:
            consent.record(user, kind, given=True, version=consent.VERSIONS[kind], now=now)


def answer_training(user: User, *, given: bool, now: datetime) -> None:
    """Keep a new answer about training, when it differs from the one in force.

    Effect  an act: one consent row, or none.
    """
    if consent.may_train(user) != given:
        with transaction.atomic(durable=True):
            version = consent.VERSIONS[Consent.Kind.TRAINING]
            consent.record(user, Consent.Kind.TRAINING, given=given, version=version, now=now)
