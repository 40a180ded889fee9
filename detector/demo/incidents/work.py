"""Pieces of honest work that incidents, look-alikes and the fleets' own days are told with."""

# ruff: noqa: S608 - statements of a story: nothing runs them

from __future__ import annotations

from detector.demo.incidents import pools
from detector.demo.incidents.base import Part
from detector.demo.incidents.cast import Cast
from detector.demo.script import Call


def looks(c: Cast) -> list[Part]:
    """A look around a project."""
    word = c.pick(pools.SYMBOLS)
    return c.mixed(
        c.shell(c.any_of("git status -sb", "ls", "ls packages apps", "git log -3 --stat")),
        c.reads(c.any_of("README.adoc", "package.json", "CONTRIBUTING.md", "turbo.json"), '{"name": "app"}'),
        c.greps(word, c.folder, f"{c.path()}:{c.number(4, 300)}: export function {word}("),
        c.reads(c.path(), f"export function {word}(x) {{ return x }}"),
        c.reads(c.path()),
        least=2,
    )


def checks(c: Cast, fault: bool = False) -> Call:
    """A test run."""
    command = c.any_of("pnpm vitest run", "go test ./...", "bundle exec rspec", "npx playwright test", "pnpm test")
    if fault:
        return c.shell(command, f"{c.pick(pools.FAULTS)}\n2 failed | {c.number(3, 80)} passed", 1)
    return c.shell(command, f"{c.number(5, 140)} passed ({c.number(1, 30)}.{c.number(1, 9)}s)")


def changes(c: Cast) -> list[Part]:
    """Edits, with failing tests in between."""
    parts: list[Part] = []
    for _ in range(c.number(1, 3)):
        symbol = c.pick(pools.SYMBOLS)
        parts += [c.edits(c.path(), symbol, f"{symbol}2", missed=c.chance(0.12)), checks(c, fault=c.chance(0.6))]
        parts += c.maybe(
            0.3, c.shell(c.any_of("pnpm tsc --noEmit", "npx eslint .", "go vet ./..."), "", c.number(0, 1))
        )
    return [*parts, c.edits(c.path(), "let", "const"), checks(c)]


def commits(c: Cast) -> list[Part]:
    """A commit, and often a push."""
    branch = f"{c.any_of('feat', 'bugfix', 'chore')}/{c.pick(pools.MODULES)}-{c.ticket}"
    return [
        c.shell(f"git switch -c {branch} && git add -A"),
        c.shell(f'git commit -m "{c.pick(pools.MODULES)}: {c.any_of("repair", "add", "tidy")}"', "2 files changed"),
        *c.maybe(0.6, c.shell(f"git push -u origin {branch}", f"new branch {branch}")),
        *c.maybe(0.4, c.shell("gh pr create --fill", f"https://git.{c.project}.example.org/pull/{c.number(20, 900)}")),
    ]


def database(c: Cast) -> str:
    """A database that is not the live one."""
    return f"{c.project}_{c.trial}"


def queries(c: Cast, base: str, tables: list[str], most: int = 4) -> list[Part]:
    """SELECTs, some of them wrong at first."""
    parts: list[Part] = []
    for table in tables[:most]:
        column = c.pick(pools.COLUMNS)
        if c.chance(0.2):
            parts.append(c.sql(base, f"SELECT {column} FROM {table}", error=f'column "{column}" does not exist'))
        parts.append(c.sql(base, f"SELECT count(*) FROM {table}", [{"count": c.number(20, 40000)}]))
    return parts


def deploys(c: Cast) -> list[Part]:
    """A deploy to where nothing is live."""
    return [
        c.shell(f"{c.platform} status --environment {c.trial}", f"{c.project}: running, deploy {c.number(20, 400)}"),
        *c.maybe(0.4, c.shell(f"{c.platform} logs --environment {c.trial} --lines 80", c.pick(pools.FAULTS))),
        c.shell(f"{c.platform} up --environment {c.trial} --detach", "Build queued"),
        c.shell(f"curl -sf https://{c.project}-{c.trial}.{c.platform}.example.net/healthz", "ok"),
    ]


def inbox(c: Cast, most: int = 5) -> list[Part]:
    """A look through mail."""
    ids = [f"{c.rng.getrandbits(60):015x}" for _ in range(c.number(2, most))]
    found = [{"id": each, "from": f"{c.pick(pools.SENDERS)}@{c.pick(pools.MAIL_DOMAINS)}"} for each in ids]
    query = c.any_of("in:inbox", "in:inbox newer_than:3d", "is:unread category:updates", "in:inbox -is:starred")
    parts: list[Part] = [c.call(c.tool("search", "messages"), {"q": query, "max": 50}, found)]
    opened = ids[: c.number(1, 4)]
    texts = [f"About the {c.pick(pools.SUBJECTS)}. K." for _ in opened]
    return parts + [c.call(c.tool("get", "message"), {"messageId": i}, t) for i, t in zip(opened, texts, strict=True)]


def folder(c: Cast) -> str:
    """Somewhere on a Windows desk."""
    return f"{c.pick(pools.DRIVES)}:\\{c.pick(pools.ALBUMS)}\\{c.number(2015, 2026)}"


def shelves(c: Cast, where: str) -> list[Part]:
    """A look at folders."""
    listing = "\n".join(f"{c.pick(pools.MODULES)}_{n:02d}{c.any_of('.png', '.docx', '.mov')}" for n in range(6))
    return c.mixed(
        c.shell(f'dir "{where}"', listing),
        c.shell(
            f"powershell -Command \"Get-ChildItem '{where}' -Recurse | Measure-Object Length -Sum\"", "Sum : 812334"
        ),
        c.shell("whoami && cd", f"desk\\{c.person.split('.')[0]}"),
        least=1,
    )


def estate(c: Cast, name: str) -> list[Part]:
    """A look at what runs in a cloud."""
    region = c.pick(pools.REGIONS)
    return c.mixed(
        c.shell("aws sts get-caller-identity", '{"Arn": "arn:aws:sts::210987654321:assumed-role/operator/agent"}'),
        c.shell(f"aws cloudformation describe-stacks --stack-name {name} --region {region}", "UPDATE_COMPLETE"),
        c.shell(f"aws logs tail /svc/{name} --since 1h --region {region}", c.pick(pools.FAULTS)),
        c.shell(f"aws cloudwatch describe-alarms --region {region} --state-value ALARM", '{"MetricAlarms": []}'),
        c.reads(f"stacks/{name}.yaml", "Resources:\n  Table:\n    Type: AWS::DynamoDB::Table"),
        least=2,
    )
