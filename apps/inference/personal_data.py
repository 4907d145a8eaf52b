"""What runs say about a person: counts, times and, where the API was used, the answer's text."""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.inference.models import Run


class AnswersMade:
    """One entry for each answer: when, which model, how many tokens. Texts of chats are with their conversations."""

    slug = "answers"
    title = _("Answers made for you")

    def export(self, user: User) -> Iterable[tuple[str, object]]:
        runs = Run.objects.filter(account__owner=user).order_by("created_at")
        rows = [
            {
                "id": str(run.pk),
                "channel": run.channel,
                "model": run.model,
                "state": run.state,
                "created_at": run.created_at.isoformat(),
                "ended_at": run.ended_at.isoformat() if run.ended_at else None,
                "input_tokens": run.input_tokens,
                "cached_input_tokens": run.cached_input_tokens,
                "output_tokens": run.output_tokens,
                "reasoning_tokens": run.reasoning_tokens,
                "counted": run.provenance,
                "text": run.text if run.channel != Run.Channel.CHAT else None,
            }
            for run in runs.iterator()
        ]
        yield "answers.json", rows

    def erase(self, user: User, *, now: datetime) -> int:
        """Empty the texts; the counts stay, without a name, because the ledger points at them."""
        return Run.objects.filter(account__owner=user).update(text="", reasoning="", request={}, refusal=None)
