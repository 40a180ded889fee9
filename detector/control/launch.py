"""`detector run -- COMMAND`: starts an agent so that it can be paused and killed as a whole.

The agent is forked and held before its first instruction until it is in a group of its own
and registered; where that can't be done, it never starts. It keeps the launcher's standard
streams and terminal, and the launcher ends as it ends. Processes that it leaves behind live
on, in the group and registered, so that they can still be stopped.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from detector.config import Settings
from detector.control import cgroups
from detector.control.processes import TOKEN, ProcessGroup, boot, look
from detector.control.registry import Registration, Registry, is_live, safe_name
from detector.errors import EnforcerError
from detector.reading.names import MAX_RUN_CHARS, clean
from detector.records import Desired

_FORWARDED = frozenset(
    {
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGHUP,
        signal.SIGQUIT,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGWINCH,
    }
)
_WAITED = _FORWARDED | {signal.SIGCHLD}
_FROM_TERMINAL = 0x80
"""si_code SI_KERNEL (sigaction(2)): the terminal sent it, to all of its foreground processes."""

_LOOK_SECONDS = 0.2
_MAX_WORKFLOW_CHARS = 120
RUN = "AGENT_RUN_ID"
"""Environment variable with the run's id: an agent that it starts by `detector run` is a sub-agent."""


def launch(command: list[str], run_id: str | None, workflow: str | None, settings: Settings) -> int:
    """Runs `command` as an agent's run and returns its exit code, 128 + N where signal N ended it.

    `run_id` is made up where there's none. Raises EnforcerError where the id is unusable or a
    live run has it, or where `cgroup_root` is set and unusable; ConfigError for `run_dir`.
    """
    run = _checked("run id", run_id or uuid.uuid4().hex, MAX_RUN_CHARS)
    token = secrets.token_hex(8)
    workflow = _checked("workflow", workflow, _MAX_WORKFLOW_CHARS) if workflow else ""
    environment = agent_environment(os.environ, run, workflow, token)
    registry = Registry(settings.run_dir)
    registry.sweep()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED)
    try:
        child = _Child(command, environment, before)
        try:
            registration = _register(registry, child, run, workflow, token, settings)
        except BaseException:
            child.abandon()
            raise
        child.release(own_session=not registration.cgroup)
        code = _attend(child, registration)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if not registry.clear(registration) and is_live(registration):
        _say(f"run {run}: {len(registration.group().pids())} processes that it started live on, under its control")
    return code


def agent_environment(base: Mapping[str, str], run: str, workflow: str, token: str) -> dict[str, str]:
    """The agent's environment: run id, workflow and the run that started it, as OpenTelemetry resource attributes.

    Values are percent-encoded, and what stands in OTEL_RESOURCE_ATTRIBUTES stays, as
    https://opentelemetry.io/docs/specs/otel/resource/sdk/ says.
    """
    given = [pair.strip() for pair in base.get("OTEL_RESOURCE_ATTRIBUTES", "").split(",") if pair.strip()]
    keys = {pair.partition("=")[0].strip() for pair in given}
    ours = {"agent.run.id": run} | ({"agent.workflow": workflow} if workflow else {})
    if (above := base.get(RUN, "")) and above != run:
        ours["agent.run.parent"] = above
    if "host.name" not in keys:
        ours["host.name"] = socket.gethostname()
    kept = [pair for pair in given if pair.partition("=")[0].strip() not in ours]
    attributes = kept + [f"{key}={quote(value, safe='')}" for key, value in ours.items()]
    return {**base, "OTEL_RESOURCE_ATTRIBUTES": ",".join(attributes), RUN: run, TOKEN: token}


class _Child:
    """A forked process that runs nothing of the agent before it is released.

    A fork of our own, for neither `subprocess` nor a shell lets the parent act on the child
    between fork and exec. The launcher is a process with one thread, so forking is safe.
    """

    def __init__(self, command: list[str], environment: dict[str, str], mask: set[signal.Signals | int]) -> None:
        gate, self._gate = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._gate)
            _become(command, environment, mask, gate)
        os.close(gate)

    def release(self, *, own_session: bool) -> None:
        """Lets the agent begin."""
        os.write(self._gate, b"s" if own_session else b"g")
        os.close(self._gate)

    def abandon(self) -> None:
        """Ends the process; nothing of the agent has run."""
        os.close(self._gate)
        os.waitpid(self.pid, 0)


def _become(command: list[str], environment: dict[str, str], mask: set[signal.Signals | int], gate: int) -> None:
    """The child's side: waits at the gate, then becomes the agent. Never returns."""
    code = 125
    try:
        word = os.read(gate, 1)
        # The launcher ended before the run was registered.
        if word:
            if word == b"s":
                os.setsid()
            for number in (signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            os.execvpe(command[0], command, environment)  # noqa: S606 - the command is what the user asked to run
    except OSError as fault:
        code = 127 if isinstance(fault, FileNotFoundError) else 126
        os.write(2, f"detector run: {command[0]}: {fault.strerror}\n".encode(errors="replace"))
    finally:
        os._exit(code)


def _register(
    registry: Registry, child: _Child, run: str, workflow: str, token: str, settings: Settings
) -> Registration:
    process = look(child.pid)
    if process is None:
        raise EnforcerError(f"run {run!r}: its process ended before it began")
    with registry.locked():
        known = registry.find(run)
        if known is not None and is_live(known):
            raise EnforcerError(f"run id {run!r}: expected one of its own, but process {known.pid} runs under it")
        group = _enter_group(child, run, settings)
        registration = Registration(
            run=run,
            pid=child.pid,
            started=process.started,
            host=socket.gethostname(),
            boot=boot(),
            created=time.time_ns(),
            cgroup=str(group.path) if group else "",
            inode=group.inode() if group else 0,
            token=token,
            workflow=workflow,
        )
        registry.add(registration)
    return registration


def _enter_group(child: _Child, run: str, settings: Settings) -> cgroups.ControlGroup | None:
    try:
        group = cgroups.make(cgroups.root(settings.cgroup_root), safe_name(run))
        try:
            group.add(child.pid)
        except OSError as fault:
            group.remove()
            raise EnforcerError(f"{group.path}: {fault.strerror}") from fault
    except EnforcerError as fault:
        if settings.cgroup_root is not None:
            raise
        _say(f"run {run} without a cgroup ({fault}): signals pause and kill it and miss {ProcessGroup.misses}")
        return None
    _say(f"run {run} in cgroup {group.path}")
    return group


def _attend(child: _Child, registration: Registration) -> int:
    """Forwards signals and tells of pauses until the agent has ended; its exit code."""
    paused = False
    while True:
        caught = signal.sigtimedwait(_WAITED, _LOOK_SECONDS)
        ended, status = os.waitpid(child.pid, os.WNOHANG)
        if ended:
            return _exit_code(registration.run, status)
        if caught is not None and caught.si_signo in _FORWARDED:
            _forward(child.pid, caught, own_session=not registration.cgroup)
        if paused != (now := _is_paused(registration)):
            paused = now
            _say(f"run {registration.run} is paused" if paused else f"run {registration.run} goes on")


def _forward(pid: int, caught: signal.struct_siginfo, *, own_session: bool) -> None:
    if caught.si_code != _FROM_TERMINAL:
        os.kill(pid, caught.si_signo)
    elif own_session:
        # The terminal doesn't reach another session; in the same one, the agent has it already.
        os.killpg(pid, caught.si_signo)


def _is_paused(registration: Registration) -> bool:
    if registration.cgroup:
        return cgroups.ControlGroup(Path(registration.cgroup)).state() is Desired.PAUSED
    leader = look(registration.pid)
    return leader is not None and leader.state == "T"


def _exit_code(run: str, status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGKILL:
        _say(f"run {run} was killed")
    return code if code >= 0 else 128 - code


def _checked(what: str, value: str, most: int) -> str:
    # What the reader would change is another run's name than the one that commands are for.
    if not value or clean(value, most) != value:
        raise EnforcerError(
            f"{what}: expected 1 to {most} printable characters, came {len(value)} that begin with {value[:64]!r}"
        )
    return value


def _say(text: str) -> None:
    sys.stderr.write(f"detector run: {text}\n")
    sys.stderr.flush()
