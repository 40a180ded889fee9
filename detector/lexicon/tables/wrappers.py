"""Programs that run another one: how many of their words stand before it, or which of them is its text."""

from __future__ import annotations

from typing import NamedTuple


class Wrapper(NamedTuple):
    """A program whose operands are a command."""

    values: str = ""
    """Flags that take the next word: letters, or words between blanks."""
    operands: int = 0
    """Words before the command."""


WRAPPERS: dict[str, Wrapper] = {
    "time": Wrapper("f o"),
    "command": Wrapper(),
    "builtin": Wrapper(),
    "exec": Wrapper("a"),
    "sudo": Wrapper("u g h p C r t T U D R user group prompt chdir host"),
    "doas": Wrapper("u C"),
    "pkexec": Wrapper("user"),
    "gosu": Wrapper(operands=1),
    "su-exec": Wrapper(operands=1),
    "env": Wrapper("u C unset chdir"),
    "nohup": Wrapper(),
    "nice": Wrapper("n adjustment"),
    "timeout": Wrapper("s k signal kill-after", 1),
    "gtimeout": Wrapper("s k signal kill-after", 1),
    "xargs": Wrapper("I n P L d E s a max-args max-procs replace delimiter arg-file max-lines"),
    "parallel": Wrapper("j S jobs a arg-file colsep"),
    "stdbuf": Wrapper("i o e input output error"),
    "watch": Wrapper("n interval"),
    "ionice": Wrapper("c n p class classdata"),
    "setsid": Wrapper(),
    "chrt": Wrapper("", 1),
    "caffeinate": Wrapper("t w"),
    "unbuffer": Wrapper(),
    "chronic": Wrapper(),
    "busybox": Wrapper(),
    "toybox": Wrapper(),
    "chroot": Wrapper("", 1),
    "flock": Wrapper("w E timeout", 1),
    "nsenter": Wrapper("t target S G"),
    "unshare": Wrapper("S G R"),
    "setpriv": Wrapper("reuid regid"),
    "taskset": Wrapper("", 1),
    "strace": Wrapper("o e p s u"),
    "ltrace": Wrapper("o e p s u"),
    "proxychains": Wrapper("f"),
    "proxychains4": Wrapper("f"),
    "torsocks": Wrapper(),
    "systemd-run": Wrapper("u p unit property uid gid slice"),
    "systemd-inhibit": Wrapper(),
    "firejail": Wrapper(),
    "faketime": Wrapper("f", 1),
    "dotenv": Wrapper("e f"),
    "dotenvx": Wrapper("f"),
    "npx": Wrapper("p package"),
    "bunx": Wrapper(),
    "pnpx": Wrapper(),
    "uvx": Wrapper("from with python"),
    "call": Wrapper(),
    "start": Wrapper(),
    "winpty": Wrapper(),
    "rtk": Wrapper(),
}
MANY = frozenset(("xargs", "parallel"))
QUIET = frozenset(("npx", "bunx", "pnpx", "uvx"))
"""Run tools of development, whose words name no place."""

SECOND: dict[str, frozenset[str]] = {
    "poetry": frozenset(("run",)),
    "pdm": frozenset(("run",)),
    "uv": frozenset(("run",)),
    "rye": frozenset(("run",)),
    "hatch": frozenset(("run",)),
    "pipenv": frozenset(("run",)),
    "pipx": frozenset(("run",)),
    "bundle": frozenset(("exec",)),
    "pnpm": frozenset(("dlx", "exec")),
    "yarn": frozenset(("dlx", "exec")),
    "npm": frozenset(("exec", "x")),
    "mise": frozenset(("exec", "x")),
    "asdf": frozenset(("exec",)),
    "rtx": frozenset(("exec", "x")),
}
"""Programs that run a command by one of their subcommands."""


class Runner(NamedTuple):
    """How a program runs another."""

    words: tuple[str, ...]
    """Subcommands, all of which must be there."""
    operands: int = -1
    """Words before the command, subcommands included; -1: none stands behind them."""
    text: tuple[str, ...] = ()
    """Flags whose value is the command as a text."""
    joined: bool = False
    """The operands are one text for a shell."""
    dashes: bool = False
    """The command stands behind `--`."""


_EXEC = (Runner(("exec",), 2), Runner(("run",), 2), Runner(("container", "exec"), 3), Runner(("container", "run"), 3))
_COMPOSE = (Runner(("compose", "exec"), 3), Runner(("compose", "run"), 3))
_KUBE = (
    Runner(("exec",), 2, dashes=True),
    Runner(("run",), dashes=True),
    Runner(("debug",), dashes=True),
    Runner(("rsh",), 2),
)
_RUN = (Runner(("run",), 1, dashes=True), Runner(("ssh",), 1, dashes=True), Runner(("exec",), 2, dashes=True))

RUNNERS: dict[str, tuple[Runner, ...]] = {
    "ssh": (Runner((), 1, joined=True),),
    "mosh": (Runner((), 1, dashes=True),),
    "su": (Runner((), text=("c", "command", "session-command")),),
    "runuser": (Runner((), text=("c", "command")), Runner((), 0)),
    "script": (Runner((), text=("c", "command")),),
    "nix-shell": (Runner((), text=("run", "command")),),
    "docker": (*_COMPOSE, *_EXEC),
    "podman": (*_COMPOSE, *_EXEC),
    "nerdctl": (*_COMPOSE, *_EXEC),
    "docker-compose": _EXEC[:2],
    "podman-compose": _EXEC[:2],
    "kubectl": _KUBE,
    "oc": _KUBE,
    "k3s": (Runner(("kubectl", "exec"), 3, dashes=True),),
    "lxc": (Runner(("exec",), 2, dashes=True),),
    "incus": (Runner(("exec",), 2, dashes=True),),
    "multipass": (Runner(("exec",), 2, dashes=True),),
    "limactl": (Runner(("shell",), 2),),
    "vagrant": (Runner(("ssh",), text=("c", "command")),),
    "nomad": (Runner(("alloc", "exec"), 3),),
    "gcloud": (Runner(("ssh",), text=("command",)),),
    "aws": (Runner(("send-command",), text=("parameters",)), Runner(("execute-command",), text=("command",))),
    "az": (Runner(("invoke",), text=("scripts",)), Runner(("exec",), text=("exec-command", "command"))),
    "ansible": (Runner((), text=("a", "args")),),
    "fly": (Runner(("ssh",), text=("C", "command")), Runner(("exec",), 3, joined=True)),
    "flyctl": (Runner(("ssh",), text=("C", "command")), Runner(("exec",), 3, joined=True)),
    "heroku": (
        Runner(("run",), 1, joined=True),
        Runner(("run:detached",), 1, joined=True),
        Runner(("ps:exec",), 1, joined=True),
    ),
    "railway": _RUN,
    "doppler": _RUN[:1],
    "op": _RUN[:1],
    "infisical": _RUN[:1],
    "chamber": (Runner(("exec",), 2, dashes=True),),
    "aws-vault": (Runner(("exec",), 2, dashes=True),),
    "direnv": (Runner(("exec",), 2),),
    "conda": (Runner(("run",), 1),),
    "mamba": (Runner(("run",), 1),),
    "firebase": (Runner(("emulators:exec",), 1, joined=True),),
    "eb": (Runner(("ssh",), text=("c", "command")),),
    "cf": (Runner(("ssh",), text=("c", "command")),),
    "wsl": (Runner((), 0),),
    "git": (
        Runner(("bisect", "run"), 2),
        Runner(("submodule", "foreach"), 2, joined=True),
        Runner(("rebase",), text=("x", "exec")),
        Runner(("filter-branch",), text=("index-filter", "tree-filter", "commit-filter", "msg-filter", "env-filter")),
    ),
    "screen": (Runner((), 1),),
    "tmux": (
        Runner(("new",), 1, joined=True),
        Runner(("new-session",), 1, joined=True),
        Runner(("send-keys",), 1, joined=True),
    ),
    "cmd": (Runner((), 0, joined=True),),
    "daemonize": (Runner((), 0),),
    "concurrently": (Runner((), 0, joined=True),),
    "pkgx": (Runner((), 0),),
}
