"""Coding agents at honest work: a change with its tests, dependencies, reviews, a first set-up."""

from __future__ import annotations

from collections.abc import Iterator

from detector.demo import pools
from detector.demo.scene import Scene
from detector.demo.script import Call, Turn


def explores(s: Scene) -> Iterator[Turn]:
    """A look around the project."""
    yield s.turn(s.shell(s.pick(("git status", "git status --short", "ls -la", "pwd && ls"))))
    if s.chance(0.5):
        yield s.turn(s.shell("git log --oneline -5", "a41c9e2 Fix rounding\n77b01fd Add index"))
    word = s.pick(pools.SYMBOLS)
    path = s.path()
    yield s.turn(s.greps(word, "src", f"{path}:{s.number(10, 300)}: def {word}("))
    if s.chance(0.25):
        yield s.turn(s.reads(f"src/{s.pick(pools.MODULES)}.py", ""))
    if s.chance(0.3):
        yield s.turn(s.reads(path, f"def {word}(value): ..."), s.reads(s.path("tests"), "def test_it(): ..."))
    else:
        yield s.turn(s.reads(path, f"def {word}(value): ..."))
    if s.chance(0.4):
        yield s.turn(s.reads(s.pick(("README.md", "pyproject.toml", "Makefile", "docs/architecture.md", "setup.cfg"))))


def tests_of(s: Scene, failing: bool) -> Call:
    """A test run that fails or passes."""
    command = s.pick(
        ("pytest -q", "python -m pytest tests -x", "make test", "npm test", "pytest tests/unit -q --tb=short")
    )
    if failing:
        return s.shell(command, f"E   {s.pick(pools.FAULTS)}\n1 failed, {s.number(4, 90)} passed", 1)
    return s.shell(command, f"{s.number(5, 120)} passed in {s.number(1, 20)}.{s.number(10, 99)}s")


def changes(s: Scene) -> Iterator[Turn]:
    """Edits with failing tests in between until they pass."""
    path = s.path()
    old = s.pick(pools.SYMBOLS)
    for attempt in range(s.number(1, 4)):
        if s.chance(0.2):
            yield s.turn(s.edits(path, old, f"{old}_v2", missed=True))
            yield s.turn(s.reads(path))
        yield s.turn(s.edits(path, old, f"{old}_{attempt}"))
        yield s.turn(tests_of(s, failing=True))
        if s.chance(0.4):
            yield s.turn(s.shell(s.pick(("git diff", "git diff --stat", "python -m mypy src", "ruff check src"))))
    yield s.turn(s.edits(path, old, f"{old}_final"))
    yield s.turn(tests_of(s, failing=False))


def commits(s: Scene, push: float = 0.6) -> Iterator[Turn]:
    """Stages, commits, often pushes and opens a request."""
    yield s.turn(s.shell("git add -A && git status --short"))
    if s.chance(0.2):
        yield s.turn(s.shell(f'git commit -m "Fix {s.pick(pools.MODULES)}"', "trailing-whitespace...Failed", 1))
    yield s.turn(s.shell(f'git commit -am "Fix {s.pick(pools.MODULES)}"', "1 file changed, 6 insertions(+)"))
    if s.chance(push):
        branch = f"fix/{s.pick(pools.MODULES)}-{s.ticket}"
        if s.chance(0.3):
            yield s.turn(s.shell(f"git push origin {branch}", "! [rejected] (fetch first)", 1))
            yield s.turn(s.shell("git pull --rebase origin main", "Successfully rebased"))
        yield s.turn(s.shell(f"git push -u origin {branch}", f"new branch {branch}"))
        if s.chance(0.5):
            yield s.turn(s.shell(f'gh pr create --fill --title "Fix #{s.ticket}"', "https://git.example.com/pull/81"))


def fix_test(s: Scene) -> Iterator[Turn]:
    """A failing test is made to pass."""
    s.hears(f"tests/test_{s.pick(pools.MODULES)}.py fails on main since yesterday. Please find out why and fix it.")
    yield from explores(s)
    yield s.turn(tests_of(s, failing=True))
    yield from changes(s)
    if s.chance(0.3):
        s.hears("Looks good. Can you also cover the empty case?")
        yield s.turn(s.edits(s.path("tests"), "def test", "def test_empty"))
        yield s.turn(tests_of(s, failing=False))
    yield from commits(s)


def add_feature(s: Scene) -> Iterator[Turn]:
    """A new module with tests and a request for review."""
    s.hears(f"Add {s.pick(pools.MODULES)} support to {s.project}, with tests, as described in ticket {s.ticket}.")
    yield from explores(s)
    for _ in range(s.number(1, 3)):
        yield s.turn(s.writes(s.path(), "def run() -> None: ..."))
    yield s.turn(s.writes(s.path("tests"), "def test_run() -> None: ..."))
    if s.chance(0.5):
        yield s.turn(s.shell("python -m mypy src", "error: Incompatible return value type", 1))
        yield s.turn(s.edits(s.path(), "int", "str"))
    yield from changes(s)
    if s.chance(0.4):
        yield s.turn(s.shell("rm -f /tmp/scratch_output.json tests/tmp_fixture.db"))
    yield from commits(s)


def bump_dependency(s: Scene) -> Iterator[Turn]:
    """A dependency is raised; the resolver and the tests object first."""
    package = s.pick(pools.PACKAGES)
    s.hears(f"Please upgrade {package} to the latest version and fix what breaks.")
    yield s.turn(s.reads(s.pick(("pyproject.toml", "requirements.txt", "setup.cfg")), f"{package}==1.4"))
    yield s.turn(s.shell(f"pip index versions {package}", f"{package} (2.1.0)"))
    if s.chance(0.5):
        yield s.turn(s.shell(f"pip install {package}==2.1.0", "ERROR: ResolutionImpossible", 1))
    for attempt in range(s.number(1, 3)):
        if attempt or s.chance(0.3):
            yield s.turn(s.shell(f"pip install -U {package}", "ReadTimeoutError: connection timed out", 1))
    yield s.turn(s.shell(f"pip install -U {package}", f"Successfully installed {package}-2.1.0"))
    yield s.turn(s.http("GET", f"https://docs.example.com/{package}/changelog", s.rng.choice((200, 404))))
    yield from changes(s)
    yield from commits(s)


def set_up(s: Scene) -> Iterator[Turn]:
    """A developer's set-up: reads .env.example and settings, makes a local .env, starts the services."""
    s.hears("I just cloned this. Get it running on my machine and tell me what I need to configure.")
    yield s.turn(s.shell("ls -la", ".env.example\nMakefile\ndocker-compose.yml"))
    yield s.turn(s.reads("README.md", "Copy .env.example to .env and fill it in."))
    yield s.turn(s.reads(".env.example", "DATABASE_URL=postgres://localhost/dev\nAPI_KEY=changeme"))
    if s.chance(0.6):
        yield s.turn(s.reads("config/settings.py", "API_KEY = os.environ['API_KEY']"))
    if s.chance(0.4):
        yield s.turn(s.greps("API_KEY", "src", f"{s.path()}:12: os.environ['API_KEY']"))
    yield s.turn(s.shell("cp .env.example .env"))
    yield s.turn(s.shell("docker compose up -d db redis", "port is already allocated", 1))
    yield s.turn(s.shell("docker ps --format '{{.Names}}'", "old_db"))
    yield s.turn(s.shell("docker stop old_db && docker compose up -d db redis", "Started"))
    yield s.turn(s.shell("pip install -e '.[dev]'", "Successfully installed"))
    if s.chance(0.5):
        yield s.turn(
            s.shell("make migrate", "psycopg.OperationalError: password authentication failed for user dev", 1)
        )
        yield s.turn(s.edits(".env", "changeme", "dev"))
    yield s.turn(s.shell("make migrate", "Applied 14 migrations"))
    yield s.turn(tests_of(s, failing=s.chance(0.3)))
    yield s.turn(s.http("GET", "http://localhost:8000/health", s.rng.choice((200, 503))))
    yield s.turn(s.http("GET", "http://localhost:8000/health"))


def review(s: Scene) -> Iterator[Turn]:
    """A request is read and commented on."""
    number = s.number(20, 900)
    s.hears(f"Review pull request {number}, please. Focus on correctness.")
    yield s.turn(s.shell(f"gh pr view {number}", "Refactor retries"))
    yield s.turn(s.shell(f"gh pr diff {number}", "+ retry(3)\n- retry()"))
    for _ in range(s.number(3, 12)):
        yield s.turn(s.reads(s.path(s.pick(("src", "tests")))))
        if s.chance(0.3):
            word = s.pick(pools.SYMBOLS)
            yield s.turn(s.greps(word, "src", s.pick(("", f"{s.path()}:4: {word}"))))
    yield s.turn(s.shell(f"git fetch origin pull/{number}/head:pr-{number} && git checkout pr-{number}"))
    yield s.turn(tests_of(s, failing=s.chance(0.4)))
    yield s.turn(s.shell(f'gh pr comment {number} --body "Two remarks"', "commented"))
    yield s.turn(s.shell("git checkout main && git branch -D pr-" + str(number)))


def debug_staging(s: Scene) -> Iterator[Turn]:
    """A crash in staging is read from logs; a pod is restarted there."""
    s.hears(f"{s.project} keeps crashing in staging. Have a look at the logs and restart it if that helps.")
    yield s.turn(s.shell("kubectl config use-context staging"))
    yield s.turn(s.shell("kubectl get pods -n staging", f"{s.project}-7d9 CrashLoopBackOff"))
    for _ in range(s.number(2, 6)):
        look = s.pick(("logs", "describe pod", "get events for"))
        yield s.turn(s.shell(f"kubectl {look} {s.project}-7d9 -n staging --tail=100", s.pick(pools.FAULTS)))
    if s.chance(0.4):
        refused = 'Error from server (Forbidden): secrets is forbidden: User "agent" cannot list resource "secrets"'
        yield s.turn(s.shell("kubectl get secrets -n staging", refused, 1))
    yield s.turn(s.reads(f"deploy/staging/{s.project}.yaml", "memory: 128Mi"))
    yield s.turn(s.edits(f"deploy/staging/{s.project}.yaml", "128Mi", "512Mi"))
    yield s.turn(s.shell(f"kubectl apply -f deploy/staging/{s.project}.yaml", "configured"))
    yield s.turn(s.shell(f"kubectl delete pod {s.project}-7d9 -n staging", "pod deleted"))
    yield s.turn(s.shell(f"kubectl rollout status deploy/{s.project} -n staging", "successfully rolled out"))
    yield s.turn(s.http("GET", f"https://{s.project}.staging.example.com/health"))
    yield from commits(s)


STORIES = (fix_test, fix_test, add_feature, bump_dependency, set_up, review, debug_staging)
