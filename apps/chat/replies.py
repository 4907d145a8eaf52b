"""Send a message and get its answer made; make another answer; keep what the engine made."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts import consent
from apps.accounts.models import User
from apps.billing import entitlements
from apps.billing.meters import Meter
from apps.billing.models import BillingAccount
from apps.billing.plans import PlanTerms
from apps.chat import conversations, personalization, prompting, titles
from apps.chat.models import Conversation, Message
from apps.core import guards
from apps.core.errors import Conflict, Invalid, Missing, Refusal, TooLarge
from apps.inference import language_models, runs
from apps.inference.calls import Completion
from apps.inference.language_models import LanguageModel
from apps.inference.models import Run
from apps.usage import balances, limits, roundtrip
from apps.usage import errors as usage_errors
from apps.usage.roundtrip import Statement

JOB = "chat.answer_message"
LONGEST_TEXT = 32_000
KEEP = "UPDATE chat_message SET text = %s, model = %s WHERE run_id = %s RETURNING id"
MOST_WAITING = 3  # of one account's questions, beside those its plan answers at once: nobody fills the queue alone


@dataclass(frozen=True)
class Draft:
    """What a person wants to send. No conversation: a new one; no parent: the first message."""

    text: str
    conversation_id: UUID | None = None
    parent_id: UUID | None = None
    model: str | None = None


@dataclass(frozen=True)
class Sent:
    """What was stored: the message and the answer that is being made."""

    conversation: Conversation
    message: Message
    reply: Message


@dataclass(frozen=True)
class _Terms:
    """Who pays, by which plan, for which model."""

    account: BillingAccount
    plan: PlanTerms
    model: LanguageModel


def send(owner: User, draft: Draft, *, now: datetime) -> Sent:
    """Store a message with its empty answer and the run that makes it, as one act.

    Raises  TooLarge, Invalid, Missing, Conflict: the message; LimitReached, PaymentNeeded: nothing would come of it.
            Nothing is stored then. Passing here is no promise: the worker that claims the run is the judge.
    """
    refuse_unfit(draft.text)
    with transaction.atomic(durable=True):
        terms = _terms(owner, draft.model, now=now)
        prompting.refuse_too_long(draft.text, terms.plan, terms.model)
        refuse_when_spent(terms.account, terms.plan, terms.model.key, now=now)
        conversation, parent = _place(owner, draft, now=now)
        message = Message(
            conversation=conversation,
            parent=parent,
            role=Message.Role.USER,
            text=draft.text,
            may_train=consent.may_train(owner),
            created_at=now,
        )
        reply = _open_reply(message, terms, now=now)
        roundtrip.insert(*([conversation] if conversation._state.adding else []), message, reply)
        return Sent(conversation, message, reply)


def refuse_unfit(text: str) -> None:
    """Refuse what is no question, whoever asks it.

    Raises  TooLarge, Invalid.
    """
    if len(text) > LONGEST_TEXT:
        sentence = _("This message is too long: %(longest)s characters are possible, it has %(length)s.")
        raise TooLarge(sentence % {"longest": LONGEST_TEXT, "length": len(text)})
    if not text.strip():
        raise Invalid(_("Write something first."), field="text")


def retry(owner: User, message_id: UUID, *, now: datetime) -> Message:
    """Make another answer beside an earlier one, by the same model where the person still has it. An act, as `send`."""
    with transaction.atomic(durable=True):
        earlier = conversations.get_message(owner, message_id)
        question = earlier if earlier.role == Message.Role.USER else earlier.parent
        if question is None:
            raise Missing(_("There is no question to answer again."))
        _refuse_unfinished(earlier)
        terms = _terms(owner, _still_had(owner, earlier.model, now=now), now=now)
        refuse_when_spent(terms.account, terms.plan, terms.model.key, now=now)
        reply = _open_reply(question, terms, now=now)
        Message.objects.bulk_create([reply])
        return reply


def keep(run: Run, completion: Completion) -> None:
    """Store what the engine made in the message that waits for it. A step; a deleted conversation keeps nothing."""
    guards.inside_transaction()
    (kept,) = roundtrip.ask([Statement(KEEP, (completion.text, run.model, run.pk))])
    if not kept:
        Run.objects.filter(pk=run.pk).update(text="", reasoning="")


def refuse_when_spent(account: BillingAccount, plan: PlanTerms, model: str, *, now: datetime) -> None:
    """Say early, and kindly, that nothing would come of sending. A hint only: nothing is set aside.

    Raises  PaymentNeeded: the plan does not have this model;  LimitReached: its messages are used up for now, or
            enough of the account's questions wait already.
    """
    unfinished = runs.count_unfinished(account)
    if unfinished >= plan.concurrency + MOST_WAITING:
        at_once = {"limit": plan.concurrency, "used": unfinished}
        raise usage_errors.refused_again(usage_errors.TOO_MANY_AT_ONCE, at_once)
    demand = limits.Demand(plan, model, {Meter.MESSAGES: 1})
    if not limits.is_included(demand):
        lifted_by = entitlements.lifting_plan(model, Meter.MESSAGES, 0)
        raise usage_errors.payment_needed(
            Refusal(usage_errors.NOT_INCLUDED, 0, 0, None, lifted_by, str(Meter.MESSAGES))
        )
    for limit, balance in zip(plan.limits, balances.remaining(account, plan=plan, now=now), strict=True):
        if limit.covers(Meter.MESSAGES, model) and balance.left == 0 and limit.when_spent == "refuse":
            lifted_by = entitlements.lifting_plan(model, Meter.MESSAGES, limit.amount, window=limit.window)
            facts = limit.amount, balance.used, balance.resets_at, lifted_by, str(limit.meter)
            raise usage_errors.limit_reached(Refusal(usage_errors.LIMIT_REACHED, *facts), limit)


def _terms(owner: User, model_key: str | None, *, now: datetime) -> _Terms:
    account = entitlements.account_for(owner, now=now)
    plan = entitlements.plan_for(account, now=now)
    if model_key is None:
        offered = [model.key for model in language_models.offered(plan) or language_models.offered()]
        preferred = personalization.preferred_model(owner)
        model_key = preferred if preferred in offered else next(iter(offered), "")
    return _Terms(account, plan, language_models.get_model(model_key))


def _still_had(owner: User, model_key: str, *, now: datetime) -> str | None:
    plan = entitlements.plan_for(entitlements.account_for(owner, now=now), now=now)
    return model_key if model_key in {model.key for model in language_models.offered(plan)} else None


def _place(owner: User, draft: Draft, *, now: datetime) -> tuple[Conversation, Message | None]:
    if draft.conversation_id is None:
        title = titles.title_from(draft.text)
        return Conversation(owner=owner, title=title, created_at=now, updated_at=now), None
    conversation = conversations.get_conversation(owner, draft.conversation_id)
    if draft.parent_id is None:
        return conversation, None
    parent = conversation.messages.filter(pk=draft.parent_id).select_related("run").first()
    if parent is None:
        raise Missing(_("The message you answer is not in this conversation."))
    if parent.role != Message.Role.ASSISTANT:
        raise Invalid(_("A message follows an answer, not another message."), field="parent_id")
    _refuse_unfinished(parent)
    return conversation, parent


def _refuse_unfinished(message: Message) -> None:
    if message.run is not None and not message.run.is_over:
        raise Conflict(_("This answer is still being written. Wait for it, or stop it."), code="answer_in_progress")


def _open_reply(question: Message, terms: _Terms, *, now: datetime) -> Message:
    """The run that answers, and the message that waits for it, yet to be stored; it is the conversation's new leaf."""
    run = runs.open_run(
        terms.account, channel=Run.Channel.CHAT, job=JOB, model=terms.model.key, plan=terms.plan, now=now
    )
    reply = Message(
        conversation=question.conversation,
        parent=question,
        role=Message.Role.ASSISTANT,
        run=run,
        model=terms.model.key,
        may_train=question.may_train,
        created_at=now,
    )
    conversation = question.conversation
    conversation.leaf_id, conversation.updated_at = reply.pk, now
    if not conversation._state.adding:
        conversation.save(update_fields=["leaf_id", "updated_at"])
    return reply
