"""What the programs that agents use do: one file a group of programs. Data; `usage` says how it is written."""

from __future__ import annotations

from detector.lexicon.tables import (
    aws,
    azure,
    common,
    data,
    docker,
    git,
    google,
    kubernetes,
    paas,
    system,
    terraform,
    windows,
)
from detector.lexicon.usage import Usages

ALL = tuple(
    entry
    for table in (common, aws, azure, google, kubernetes, docker, git, terraform, paas, system, windows, data)
    for entry in table.USAGES
)
USAGES = Usages(ALL)
