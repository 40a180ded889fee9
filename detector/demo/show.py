"""The demo's course: the control arm, then the same seed under the detector, then the reckoning."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from detector.config import Settings, load
from detector.control.people import send_label
from detector.control.registry import Registry
from detector.demo import report
from detector.demo.arms import Arm, Guarded, arm
from detector.demo.board import Board, Picture, Row
from detector.demo.child import Agent, kill_all, state_of
from detector.demo.estate import Estate, estate
from detector.demo.fleet import Fleet, Member
from detector.demo.news import Known, News
from detector.demo.services import Services, answers, free_ports, listens

SETTLED_SECONDS = 45.0
"""The longest that the second arm may take."""
DECIDED_SECONDS = 8.0
GRACE_SECONDS = 0.7
"""After the last span: what is under way in the pipeline arrives."""
DRIFT_PACE = 0.45
AGENTS = 2
"""Under `detector run`: the drifting one and the incident."""


class Show:
    """Plays the demo of one seed in one scratch folder."""

    def __init__(self, seed: int, scratch: Path) -> None:
        self._seed = seed
        self._scratch = scratch
        self._estate: Estate = estate(seed)
        self._settings = _settings(scratch)
        self._endpoint = f"http://127.0.0.1:{self._settings.receive_port}"
        self._services = Services(scratch, _environment(self._settings))
        self._board = Board(self._look)
        self._fleet = Fleet(seed, self._endpoint)
        self._news = News(self._settings)
        self._guarded: list[Guarded] = []
        self._alone: Agent | None = None

    async def play(self) -> int:
        """0 where everything that the demo promises came about, else 1. Raises DetectorError where a part fails."""
        self._registry = Registry(self._settings.run_dir)
        tasks: list[asyncio.Task[Any]] = []
        with arm(self._estate, self._scratch / "without") as control, arm(self._estate, self._scratch / "with") as arm_:
            try:
                with self._board:
                    tasks.append(first := asyncio.create_task(self._control_arm(control)))
                    await self._start_services()
                    tasks.append(following := asyncio.create_task(self._news.follow()))
                    self._fleet.start()
                    await self._guard("drift", "drifting run", "--pace", str(DRIFT_PACE))
                    self._board.say(f"{len(self._fleet.members)} honest runs and the drifting run are under way")
                    await asyncio.gather(self._second_arm(first, arm_), self._settle(following))
                return await self._reckon(control, first.result(), arm_)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                kill_all(self._settings.run_dir)
                await asyncio.to_thread(self._fleet.stop)
                await self._services.close()

    # --- the arms ---

    async def _control_arm(self, control: Arm) -> Agent:
        """The incident with nothing that watches it."""
        count, _ = control.files
        self._board.say(f"without the detector: an agent mends staging; production holds {count} files", "bold")
        arguments = ("detector.demo.agent", "incident", "--seed", str(self._seed), *control.places())
        agent = self._alone = Agent(await self._services.start("agent-alone", *arguments, pipe=True))
        await agent.over()
        if agent.service.process.returncode:
            self._services.check(agent.service)
        seconds, left = agent.seconds(agent.calls[-1].at), control.left()
        deed = f"call {len(agent.calls)}, {seconds:.1f} s into the run: {agent.doing}; {left} of {count} files left"
        self._board.say(deed, "red")
        return agent

    async def _start_services(self) -> None:
        start, ready, settings = self._services.start, self._services.ready, self._settings
        port = int(settings.bootstrap.rpartition(":")[2])
        broker = await start("broker", "detector", "broker", "--port", str(port))
        await ready(broker, listens(port))
        worker = await start("worker", "detector", "worker")
        receiver = await start("receiver", "detector", "receive")
        await ready(worker, answers(f"http://127.0.0.1:{settings.metrics_port}/readyz"))
        await start("enforcer", "detector", "enforce")
        await ready(receiver, listens(settings.receive_port))
        self._services.check(*self._services.standing())
        self._board.say("broker, worker, receiver and enforcer are up")

    async def _guard(self, story: str, title: str, *arguments: str) -> None:
        run = f"{story}-{self._seed}"
        service = await self._services.start(
            f"agent-{story}",
            *("detector", "run", "--run-id", run, "--"),
            *(sys.executable, "-m", "detector.demo.agent", story, "--seed", str(self._seed), *arguments),
            pipe=True,
            OTEL_EXPORTER_OTLP_ENDPOINT=self._endpoint,
        )
        # The incident stands first: it's what everybody came for.
        self._guarded.insert(0, Guarded(title, run, Agent(service), drifts=story == "drift"))

    async def _second_arm(self, first: asyncio.Task[Agent], guarded: Arm) -> None:
        """When the control arm is through: the same agent, the same seed, under the detector."""
        await first
        self._board.say("the same agent and seed, now with the detector", "bold")
        await self._guard("incident", "incident", *guarded.places())

    async def _settle(self, following: asyncio.Task[None]) -> None:
        """Until both agents are frozen or through, and the honest runs have come to their end."""

        def settled() -> bool:
            if following.done():
                following.result()
            self._services.check(*self._services.standing())
            self._board.tick()
            each = [self._is_settled(one) for one in self._guarded]
            return len(each) == AGENTS and all(each) and self._fleet.finished()

        await _within(SETTLED_SECONDS, settled)
        await asyncio.sleep(GRACE_SECONDS)
        for one in self._guarded:
            if one.paused and one.registration is not None:
                one.held = state_of(one.registration) == "frozen" and len(one.agent.calls) == one.calls_at_ack

    def _is_settled(self, one: Guarded) -> bool:
        if one.registration is None:
            one.registration = self._registry.find(one.run)
        known = self._news.of(one.run)
        if not one.paused and (verdict := known.stop()) and (ack := known.done("paused")):
            one.calls_at_ack = len(one.agent.calls)
            took = (ack.at - verdict.at) / 1e6
            deed = f"the {one.title} is frozen: call {one.calls_at_ack}, {took:.0f} ms after the deciding span"
            self._board.say(f"{deed} ({verdict.cause})", "bold red")
        return one.paused or one.agent.ended

    # --- what came of it ---

    async def _reckon(self, control: Arm, alone: Agent, guarded: Arm) -> int:
        console = self._board.console
        paused = [one for one in self._guarded if one.paused]
        for one in paused:
            report.show_evidence(console, one, self._news.of(one.run))
        for one in paused:
            await self._decide(one)
        outcomes = [
            report.without(control, alone),
            report.files(guarded),
            *(report.stopped(one, self._news.of(one.run), alone) for one in self._guarded),
            *([report.decided(paused)] if paused else []),
            report.honest(self._fleet, [self._known(member) for member in self._fleet.members]),
        ]
        report.show_outcomes(console, outcomes)
        self._board.say("as promised" if all(outcome.held for outcome in outcomes) else "not as promised")
        return 0 if all(outcome.held for outcome in outcomes) else 1

    async def _decide(self, one: Guarded) -> None:
        """Asks what is to become of a paused run, kill without a terminal, and sees it done."""
        one.decision = "kill"
        if sys.stdin.isatty() and self._board.console.is_terminal:
            self._board.console.print(f"Kill or approve the {one.title}? [bold]\\[K/a][/] ", end="")
            one.decision = "approve" if (await _line()).lower().startswith("a") else "kill"
        known, registration = self._news.of(one.run), one.registration
        covers = known.commands[-1].sequence
        await send_label(self._settings, one.run, one.decision, getpass.getuser(), "decided in the demo", covers)
        if one.decision == "approve":
            await _within(DECIDED_SECONDS, lambda: one.agent.ended or known.paused_since(covers))
            one.outcome = "paused again on new evidence" if known.paused_since(covers) else "it went on"
        elif registration is not None:
            await _within(DECIDED_SECONDS, lambda: known.answer("killed") and state_of(registration) == "dead")
            one.outcome = "process dead" if state_of(registration) == "dead" else ""

    # --- what is shown ---

    def _known(self, member: Member) -> Known:
        return self._news.runs.get(member.story.run) or self._news.of_trace(member.player.trace_id)

    def _look(self) -> Picture:
        agents = []
        if self._alone is not None:
            agents.append(Row("incident, alone", len(self._alone.calls), 0.0, "", self._alone.doing))
        for one in self._guarded:
            known = self._news.of(one.run)
            agents.append(Row(one.title, len(one.agent.calls), known.peak, known.level, one.agent.doing))
        honest = []
        for member in self._fleet.members:
            known = self._known(member)
            name = f"{member.story.workflow}: {member.story.task.replace('_', ' ')}"
            honest.append(Row(name, member.calls, known.peak, known.level))
        return Picture(tuple(agents), tuple(honest))


async def _line() -> str:
    """A line from the terminal; unlike a thread that waits in input(), this can be interrupted."""
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        if not line.done():
            line.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin, read)
    try:
        return (await line).strip()
    finally:
        loop.remove_reader(sys.stdin)


async def _within(seconds: float, holds: Callable[[], object]) -> None:
    """Waits until `holds()`, at most `seconds`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110 - what it waits for is in other processes
                await asyncio.sleep(0.02)


def _settings(scratch: Path) -> Settings:
    broker, receiver, metrics = free_ports(3)
    return load(
        bootstrap=f"127.0.0.1:{broker}",
        store="memory",
        datadir=scratch / "state",
        receive_port=receiver,
        metrics_port=metrics,
        run_dir=scratch / "runs",
        hash_key=secrets.token_hex(16),
        # Its one drifting run is there to be stopped.
        shadow_share=0.0,
        brake_stops=0,
        signing_key=secrets.token_hex(16),
    )


def _environment(settings: Settings) -> dict[str, str]:
    """`settings` as the environment of the demo's services."""
    given = settings.model_dump(include=settings.model_fields_set, mode="json")
    given |= {name: getattr(settings, name).get_secret_value() for name in ("hash_key", "signing_key")}
    return {f"DETECTOR_{name.upper()}": str(value) for name, value in given.items()}
