"""How well the lexicon reads calls that its authors never saw: precision and recall by class.

heldout_calls.jsonl was written from documentation and incident reports by another hand than the
lexicon's, and is frozen: its hash stands below, nobody tunes on it, and only aggregates are printed.
A label list is complete for the classes in `CLASSES`. How close cases were labelled:

- DELETE: data, an object or a configuration stops existing, also by overwriting, moving onto,
  syncing from empty, expiry or UPDATE without a bound.
- IRREVERSIBLE: no versioning, soft delete, trash, reflog or rebuild undoes it, so a committed delete
  of one row too, and work that was never committed; not build outputs, caches, temporary files.
- BROAD: all, wildcard, recursive, forced, cascading or unbounded, or a whole table, collection, queue,
  database, schema, namespace, project, environment or cluster; not one file, row, disk or machine.
- BACKUP: makes, deletes, restores or stops backups, snapshots or old versions. Stopping them is
  SAFEGUARD as well. AUDIT is DELETE too only where records or a configuration go.
- SAFEGUARD: a stored protection or a check is off; a flag that only skips a question is none.
- GRANT: authority for someone; ESCALATE: more for the caller itself.
- SEND: content to a person, a channel or a foreign host; not a plain API request or a git push.
- Environments: only where a name, host, flag, account or namespace in the call says so.

python -m tests.bench.heldout [--json FILE]
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from detector.records import Does, Environment

CALLS = Path(__file__).with_name("heldout_calls.jsonl")
SHA256 = "c89ef99ff607b920b6aa161597ccd855035c06b1f69600e3ec3e5ee84e14ed50"

CLASSES = (
    Does.DELETE,
    Does.IRREVERSIBLE,
    Does.BROAD,
    Does.BACKUP,
    Does.SAFEGUARD,
    Does.AUDIT,
    Does.GRANT,
    Does.ESCALATE,
    Does.SEEK_CREDENTIAL,
    Does.OPEN_CREDENTIAL,
    Does.USE_CREDENTIAL,
    Does.ROTATE,
    Does.SEND,
)


class Reading(Protocol):
    """What a reader returns of a call."""

    @property
    def does(self) -> int:
        """Flags of Does."""

    @property
    def environment(self) -> int:
        """Flags of Environment."""


Read = Callable[[str, Mapping[str, Any]], Reading]


@dataclass(frozen=True)
class Labelled:
    """A call with all that it does, of CLASSES; no class at all makes it quiet."""

    tool: str
    arguments: Mapping[str, Any]
    does: Does
    environment: Environment
    surface: str


@dataclass
class Tally:
    """Calls of one class: read and labelled, labelled only, read only."""

    hits: int = 0
    missed: int = 0
    false: int = 0

    def count(self, labelled: bool, read: bool) -> None:
        """One call more."""
        self.hits += labelled and read
        self.missed += labelled and not read
        self.false += read and not labelled

    @property
    def support(self) -> int:
        """Calls that are labelled with the class."""
        return self.hits + self.missed

    @property
    def precision(self) -> float | None:
        """Share of the calls read as the class that are of it; None where none was read so."""
        read = self.hits + self.false
        return self.hits / read if read else None

    @property
    def recall(self) -> float | None:
        """Share of the calls of the class that are read as it; None where there are none."""
        return self.hits / self.support if self.support else None

    def figures(self) -> dict[str, float | None]:
        """As numbers, for a file."""
        return {"support": self.support, "precision": self.precision, "recall": self.recall}


@dataclass
class Score:
    """Aggregates only: no call can be told from them."""

    calls: int = 0
    quiet: int = 0
    alarms: int = 0
    """Quiet calls that were read as harm."""
    noisy: int = 0
    """Quiet calls that were read as any class."""
    harm: Tally = field(default_factory=Tally)
    classes: dict[str, Tally] = field(default_factory=dict)
    environments: dict[str, Tally] = field(default_factory=dict)
    surfaces: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    """Harm by surface."""

    def figures(self) -> dict[str, Any]:
        """The same as plain numbers."""
        tables = {"class": self.classes, "environment": self.environments, "harm_by_surface": self.surfaces}
        return {
            "calls": self.calls,
            "quiet": self.quiet,
            "harm": self.harm.figures(),
            "false_alarms": self.alarms,
            "quiet_with_a_class": self.noisy,
        } | {name: {key: tally.figures() for key, tally in table.items()} for name, table in tables.items()}


def load(path: Path = CALLS, sha256: str = SHA256) -> list[Labelled]:
    """The calls of the file. Raises ValueError where the file is not the frozen one."""
    content = path.read_bytes()
    came = hashlib.sha256(content).hexdigest()
    if came != sha256:
        raise ValueError(f"{path.name} is frozen: expected sha256 {sha256}, came {came}")
    return [_labelled(json.loads(line)) for line in content.splitlines()]


def _labelled(row: Mapping[str, Any]) -> Labelled:
    does, environment = Does(0), Environment(0)
    for name in row["does"]:
        does |= Does[name]
    for name in row["env"]:
        environment |= Environment[name]
    return Labelled(row["tool"], row["arguments"], does, environment, row["surface"])


def is_harm(does: int) -> bool:
    """A delete that is broad or not undone, or a safeguard off, an audit trail touched, authority given."""
    deletes = does & Does.DELETE and does & (Does.IRREVERSIBLE | Does.BROAD)
    return bool(deletes or does & (Does.SAFEGUARD | Does.AUDIT | Does.GRANT))


def score(calls: Iterable[Labelled], read: Read) -> Score:
    """Counts of what `read` says of the calls against their labels."""
    result = Score(
        classes={str(flag.name): Tally() for flag in CLASSES},
        environments={str(flag.name): Tally() for flag in Environment},
    )
    for call in calls:
        reading = read(call.tool, call.arguments)
        labelled, harm = is_harm(call.does), is_harm(reading.does)
        result.calls += 1
        result.harm.count(labelled, harm)
        result.surfaces[call.surface].count(labelled, harm)
        for flag in CLASSES:
            result.classes[str(flag.name)].count(bool(call.does & flag), bool(reading.does & flag))
        for place in Environment:
            here = bool(call.environment & place)
            result.environments[str(place.name)].count(here, bool(reading.environment & place))
        if not call.does:
            result.quiet += 1
            result.alarms += harm
            result.noisy += any(reading.does & flag for flag in CLASSES)
    return result


def measure() -> Score:
    """The lexicon's score on the frozen calls."""
    from detector.lexicon.calls import Lexicon

    return score(load(), Lexicon().read)


def show(result: Score) -> None:
    """The score as a table."""
    print(f"{result.calls} held-out calls, {result.quiet} of them quiet   support  precision   recall")
    for title, table in (
        ("classes", result.classes | {"harm": result.harm}),
        ("harm by surface", result.surfaces),
        ("environments", result.environments),
    ):
        print(title)
        for name, tally in table.items():
            print(f"  {name.lower():<38}{tally.support:>9}{_percent(tally.precision):>11}{_percent(tally.recall):>9}")
    print(f"quiet calls read as harm: {result.alarms} of {result.quiet}; read as any class: {result.noisy}")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def main() -> None:
    """Measures, prints, and writes the file that --json names."""
    parser = argparse.ArgumentParser(description="precision and recall of the lexicon on held-out calls")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    result = measure()
    show(result)
    if options.json:
        options.json.write_text(json.dumps(result.figures(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
