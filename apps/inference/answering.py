"""One answer being made on the engine's loop: tries servers until the first token, gathers what comes, can stop."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing
from datetime import datetime
from time import monotonic

import structlog

from apps.inference import continuing, errors, router
from apps.inference.calls import Broken, CallError, Completion, Finish, Muddle, Piece, Server, Spent, Text, Thought
from apps.inference.claims import RUN_TIMEOUT_S, Checkpoint, Claim
from apps.inference.continuing import NOTHING, Begun
from apps.inference.events import Delta, Reasoning, Restarted, Snapshot, Started
from apps.inference.fleet import Fleet
from apps.inference.models import Run
from apps.inference.providers import PROVIDERS
from apps.inference.publishing import RunLog
from apps.inference.settlement import Ending
from apps.usage.models import UsageLedger

log = structlog.get_logger(__name__)

STOPPED, LOST = "stopped", "lost"
Provenance = UsageLedger.Provenance


class Answer:
    """The answer of one claimed run."""

    def __init__(self, claim: Claim, run_log: RunLog, clock: Callable[[], datetime], *, begun: Begun = NOTHING) -> None:
        self.claim, self.log, self.clock, self.begun = claim, run_log, clock, begun
        self.log.take_up(begun.text, begun.reasoning)
        self._is_going_on = bool(begun)  # what was begun is part of the answer, until it is begun anew
        self.interruption = ""  # why we ended it ourselves: stopped, lost, timed_out
        self._frames = 0
        self._spent: Spent | None = None
        self._covers_all = False  # no text came after that report
        self._is_muddled = False
        self._finish_reason = ""
        self._server: Server | None = None
        self._first_token_at: datetime | None = None
        self._call: asyncio.Task[str] | None = None

    async def make(self, fleet: Fleet) -> Ending:
        """Call models until the answer is there, was interrupted, or cannot be had."""
        for notice in self.claim.notices:
            self.log.emit(notice)
        loop = asyncio.get_running_loop()
        self._call = loop.create_task(self._try_servers(fleet))
        timer = loop.call_later(RUN_TIMEOUT_S, self.interrupt, errors.TIMED_OUT)
        try:
            error_code = await self._call
        except asyncio.CancelledError:
            if not self.interruption:
                raise
            error_code = "" if self.interruption == STOPPED else self.interruption
        finally:
            timer.cancel()
        return Ending(self._completion(error_code), self._server.key if self._server else "", self._first_token_at)

    def interrupt(self, why: str) -> None:
        """End the call now; what came so far counts. Nothing, when it has ended by itself."""
        if self._call is not None and not self._call.done() and not self.interruption:
            self.interruption = why
            self._call.cancel()

    def checkpoint(self) -> Checkpoint:
        """What is written so far, for the row."""
        backend = self._server.key if self._server else ""
        return Checkpoint(self.claim.run.pk, self.claim.token, self.log.text, self.log.reasoning, backend)

    async def _try_servers(self, fleet: Fleet) -> str:
        """Give the error code the run ends with, empty when all went well."""
        servers = continuing.in_order(self.claim.servers, self.begun)
        began, failures = monotonic(), Counter[str]()
        for number in range(router.TRIES if servers else 0):
            server = await fleet.find_room(
                router.after_failures(servers, failures), self.claim.run.pk, patience_s=_left_of(began)
            )
            if server is None:
                return errors.BUSY
            error = await self._try(fleet, server)
            if error is None:
                return ""
            if self._frames:
                return errors.CUT_OFF
            if not error.may_work_elsewhere:
                return errors.REFUSED
            failures[server.key] += 1
            following = router.after_failures(servers, failures)[0]
            wait_s = router.wait_s(error, failed=server, following=following, number=number)
            is_last = number + 1 == router.TRIES or _left_of(began) <= 0
            if is_last or wait_s is None or not fleet.budget.spend():
                break
            await asyncio.sleep(wait_s)
        return errors.MODEL_UNAVAILABLE

    async def _try(self, fleet: Fleet, server: Server) -> CallError | None:
        """Make the call on the place that was found; what went wrong, if anything did."""
        try:
            await self._stream(fleet, server)
        except CallError as error:
            log.warning("call.failed", backend=server.key, reason=str(error), frames=self._frames)
            await fleet.note_failure(server, error, now=self.clock())
            return error
        finally:
            await fleet.leave(server, self.claim.run.pk)
        return None

    async def _stream(self, fleet: Fleet, server: Server) -> None:
        self._server = server
        self._spent, self._finish_reason = None, ""
        prompt = continuing.prompt_for(server, self.claim.prompt, self.begun)
        fleet.budget.earn()
        async with aclosing(PROVIDERS[server.provider](fleet.http, server, prompt)) as stream:
            async for pieces in stream:
                if not pieces:
                    self._take_up(server)
                has_begun = bool(self._frames)
                for piece in pieces:
                    self._take(piece)
                if self._frames and not has_begun:
                    fleet.note_ok(server, now=self.clock())

    def _take_up(self, server: Server) -> None:
        """Tell who follows that a server answers, and what of an earlier attempt stays."""
        self._is_going_on = self.begun.may_go_on(server)
        if self._is_going_on:
            self.log.emit(Snapshot(text=self.begun.text, reasoning=self.begun.reasoning))
        elif self.claim.run.attempts > 1:
            self.log.take_up("", "")
            self.log.emit(Restarted())
        self.log.emit(Started(model=self.claim.model.key, backend=server.key))

    def _take(self, piece: Piece) -> None:
        match piece:
            case Text(text):
                self._count_frame()
                self.log.write(Delta, text)
            case Thought(text):
                self._count_frame()
                self.log.write(Reasoning, text)
            case Finish(reason):
                self._finish_reason = reason
            case Spent():
                self._spent, self._covers_all = piece, True
            case Muddle():
                self._spent, self._is_muddled = None, True
            case Broken(reason, detail):
                raise CallError(reason, detail)

    def _count_frame(self) -> None:
        if not self._frames:
            self._first_token_at = self.clock()
        self._frames += 1
        self._covers_all = False

    def _completion(self, error_code: str) -> Completion:
        state = Run.State.FAILED if error_code else Run.State.SUCCEEDED
        if self.interruption == STOPPED:
            state = Run.State.STOPPED
        spent, provenance = self._count_tokens(is_whole=not error_code and not self.interruption)
        return Completion(
            state=state,
            text=self.log.text,
            reasoning=self.log.reasoning,
            finish_reason=self.interruption or self._finish_reason,
            error_code=error_code,
            spent=spent,
            provenance=provenance,
        )

    def _count_tokens(self, *, is_whole: bool) -> tuple[Spent, str]:
        """What the server reported of all that came; else what it told of the input, for settling to count the rest.

        Nothing when nothing came. A report of no input, or of no output beside text that came, is not believed. Where
        two calls made one answer, no report covers it: it is counted as if one call had made it.
        """
        if self._is_going_on:
            return Spent(), Provenance.ESTIMATED
        told = self._spent
        if told is not None and (not told.input_tokens or (self._frames and not told.output_tokens)):
            told, self._is_muddled = None, True
        if self._is_muddled:
            log.warning("usage.muddled", backend=self._server.key if self._server else "")
        if not self._frames and not is_whole:
            return Spent(), Provenance.NONE
        if told is not None and self._covers_all and (is_whole or self._finish_reason):
            return told, Provenance.REPORTED
        return told or Spent(), Provenance.ESTIMATED if self._frames else Provenance.NONE


def _left_of(began: float) -> float:
    return router.FIRST_TOKEN_BUDGET_S - (monotonic() - began)
