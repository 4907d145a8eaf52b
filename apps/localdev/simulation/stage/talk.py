"""Questions become answers by the rules of chat and API: opened, claimed, reserved, settled and kept as by a worker.

Only the model server is scripted: what it would stream is handed to `settlement.finish` at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from apps.billing import entitlements
from apps.billing.plans import PlanTerms
from apps.chat import prompting, replies
from apps.core.errors import LimitReached, PaymentNeeded
from apps.developer import completions
from apps.developer.dialect import ChatRequest
from apps.inference import errors, language_models, pricing, runs, settlement
from apps.inference.calls import Completion, Spent
from apps.inference.claims import Claim, MakePrompt
from apps.inference.models import Run
from apps.inference.settlement import Ending, Keep
from apps.localdev.simulation import scripts
from apps.localdev.simulation.habits import Question
from apps.localdev.simulation.parameters import Parameters
from apps.localdev.simulation.scripts import Outcome, Script
from apps.localdev.simulation.stage.guests import Guest
from apps.usage.models import UsageLedger

State, Provenance = Run.State, UsageLedger.Provenance
MESSAGES_A_CONVERSATION = 7
ENDINGS = {
    Outcome.WHOLE: (State.SUCCEEDED, "", Provenance.REPORTED),
    Outcome.UNCOUNTED: (State.SUCCEEDED, "", Provenance.ESTIMATED),
    Outcome.STOPPED: (State.STOPPED, "", Provenance.ESTIMATED),
    Outcome.CUT_OFF: (State.FAILED, errors.CUT_OFF, Provenance.ESTIMATED),
    Outcome.UNAVAILABLE: (State.FAILED, errors.MODEL_UNAVAILABLE, Provenance.NONE),
}


@dataclass
class Talk:
    """One person at their keyboard for a while. `answers` counts, `refused_at` is when a limit ended it."""

    guest: Guest
    parameters: Parameters
    answers: int = 0
    refused_at: datetime | None = None
    _plan: PlanTerms | None = None
    _conversation: replies.Sent | None = None
    _said: int = 0

    def have(self, questions: Sequence[Question]) -> None:
        """Ask one question after the other until a limit says no. Inside `acts.whole`."""
        waiting: list[tuple[Run, Question, Script]] = []
        for question, following in zip(questions, (*questions[1:], None), strict=True):
            opened = self._open(question)
            if opened is not None:
                waiting.append(opened)
            if following is None or not following.is_ahead or opened is None:
                for each in waiting:
                    self._answer(*each)
                waiting.clear()
            if self.refused_at is not None:
                return

    def _open(self, question: Question) -> tuple[Run, Question, Script] | None:
        """Send it; None when the page says at once that nothing would come of it."""
        plan = self._plan = self._plan or entitlements.plan_for(self.guest.account, now=question.at)
        if question.is_call:
            return self._call(question, plan)
        model = wanted_model(plan)
        most = prompting.longest_answer(plan, language_models.get_model(model)) if model else plan.output_tokens
        script = scripts.script_of(self.guest.person, question, most, self.parameters)
        try:
            sent = replies.send(self.guest.owner, self._draft(script, question, model), now=question.at)
        except (LimitReached, PaymentNeeded):
            self.refused_at = question.at
            return None
        if not question.is_ahead:
            self._conversation, self._said = sent, self._said + 1
        assert sent.reply.run is not None  # noqa: S101 an answer is made with its run
        return sent.reply.run, question, script

    def _draft(self, script: Script, question: Question, model: str | None) -> replies.Draft:
        goes_on = self._conversation is not None and self._said % MESSAGES_A_CONVERSATION and not question.is_ahead
        if not goes_on or self._conversation is None:
            return replies.Draft(script.question, model=model)
        last = self._conversation
        return replies.Draft(script.question, last.conversation.pk, last.reply.pk, model)

    def _call(self, question: Question, plan: PlanTerms) -> tuple[Run, Question, Script]:
        model = completions.offered_models()[0]
        script = scripts.script_of(self.guest.person, question, plan.output_tokens, self.parameters)
        asked = {"role": "user", "content": script.question}
        request = ChatRequest(model.key, (asked,), is_stream=True, max_tokens=plan.output_tokens)
        with transaction.atomic(durable=True):
            run = runs.open_run(
                self.guest.account,
                channel=Run.Channel.API,
                job=completions.JOB,
                model=model.key,
                plan=plan,
                request=request.as_json(),
                now=question.at,
            )
        return run, question, script

    def _answer(self, run: Run, question: Question, script: Script) -> None:
        """What a worker does with the run."""
        is_call = question.is_call
        prompt: MakePrompt = completions.prompt_of if is_call else prompting.prompt_for
        keep: Keep = completions.forget if is_call else replies.keep
        begins = question.at + script.waits
        begun = settlement.begin(run.pk, prompt=prompt, keep=keep, now=begins)
        if not isinstance(begun, Claim):
            self.refused_at = question.at
            return
        first = begins + script.thinks
        if script.outcome is Outcome.STOPPED:
            runs.request_stop(run, now=first + script.writes)
        backend = begun.servers[0].key if begun.servers else ""
        ending = Ending(completion_of(begun, script), backend, first if script.answer else None)
        settlement.finish(begun, ending, keep, now=first + script.writes)
        self.answers += 1


def completion_of(claim: Claim, script: Script) -> Completion:
    """What the back end would have made of it."""
    state, error_code, provenance = ENDINGS[script.outcome]
    spent = Spent()  # what no back end reports, the settlement counts
    if provenance == Provenance.REPORTED:
        estimate = pricing.estimate_input(claim.prompt.messages, claim.model.tokenizer)
        spent = Spent(max(1, round(estimate * script.input_factor)), script.output_tokens)
    return Completion(
        state=state,
        text=script.answer,
        reasoning="",
        finish_reason={State.SUCCEEDED: "stop", State.STOPPED: "stopped"}.get(state, ""),
        error_code=error_code,
        spent=spent,
        provenance=provenance,
    )


def wanted_model(plan: PlanTerms) -> str | None:
    """The model people ask for: one that falls back to a smaller one when it is spent; None: the page's own choice."""
    offered = {model.key for model in language_models.offered(plan)}
    falling = (model for limit in plan.limits if limit.fallback_model for model in limit.models)
    return next((model for model in falling if model in offered), None)
