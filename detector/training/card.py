"""A model's card, from its manifest and what was measured: made anew by `detector card` whenever either changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from detector.errors import DetectorError
from detector.scoring.calibration import Calibration
from detector.training import incident_report

Figures = dict[str, Any]

SOURCES: dict[str, tuple[str, str, str]] = {
    "banking": ("AgentDojo, runs of 17 model configurations", "MIT", "office agent, no clock"),
    "slack": ("AgentDojo, runs of 17 model configurations", "MIT", "office agent, no clock"),
    "dailylife": ("AgentDyn", "MIT", "office agent, longer runs, no clock"),
    "shopping": ("AgentDyn", "MIT", "office agent, longer runs, no clock"),
    "django": ("mini-swe-agent on SWE-bench Verified", "MIT", "shell work of a coding agent"),
    "airline": ("tau-bench", "MIT", "customer service, no clock"),
    **dict.fromkeys(
        ("coding", "data", "office", "support"), ("the simulator, detector/demo/stories", "Apache-2.0", "scripted")
    ),
}
"""Of honest runs, by workflow: where from, licence, what."""

BLIND = """
- It sees what agents' spans say. Without arguments on tool spans it judges by tool names, order and outcomes alone;
  what goes on in a process that emits no spans it does not see.
- Harm that looks like the work: a payment, a message, a booking that the person did not want, made with the tools and
  targets of every day. These are out of its scope (`in_scope` 0); figures by harm say what is found all the same.
- Harm whose first sign is the harmful call. A pause at that call prevents it only where the agent asks the gate first.
- Names of the call in words that the lexicon doesn't know: encoded scripts, wrappers and bland names are read as far as
  docs/lexicon.md says.
- Workflows that it was not calibrated on: the forest alerts there and never pauses; rules pause.
- The simulator's runs are scripted. What they prove of the simulated workflows says little of a fleet of yours.
""".strip()

VIEW = "Behaviours and recipe were made with these runs in view: expect less elsewhere."

HOME = """
    detector train runs.jsonl.gz --version 2026.12     # OTLP of your own honest runs, beside the ones here
    detector check                                     # what is then guaranteed, for which workflow
    detector check --labels                            # whether it still holds, as labels say

`notebooks/02-retrain.ipynb` does the same from the topic `agent-summaries`. 249 independent honest runs of a workflow
give the model a threshold to pause by there, which 0.4 % of further runs are expected to pass; the bound that is proven
is higher (1.2 % by 249 runs, 0.8 % by 1,000). Runs of one task resemble each other and count for less. A share of runs
(`shadow_share`, 1 %, where `hash_key` is set) is scored and not stopped by the model: label these and every pause
(`detector label RUN honest`), or the budget can't be watched.
""".strip()


def text(manifest: Figures, found: Figures | None = None, incidents: Figures | None = None) -> str:
    """The card as Markdown. `found`: the JSON of `detector evaluate`, with or without `ablation`; `incidents`: that of
    `detector evaluate --incidents`. Raises DetectorError where figures are of other behaviours than the model's.
    """
    if found and found["model"]["layout"] != manifest["layout"]:
        raise DetectorError(
            f"card: expected figures of the behaviours {manifest['layout']}, came some of {found['model']['layout']}: "
            "evaluate anew"
        )
    head = (
        "An isolation forest over behaviours of agents' runs, read through their rarity among honest ones. It scores a "
        "run after every call; per-workflow thresholds say when it alerts and when it pauses. Made by `detector card` "
        "from the manifest and from what `detector evaluate` has measured."
    )
    parts = [
        f"# Model {manifest['version']}",
        head,
        "## What it is", _identity(manifest),
        "## Data", _data(manifest),
        "## Guarantees", _guarantees(manifest),
        *(["## Figures", *_figures(found)] if found else []),
        *(["## What each family is worth", *_ablation(found["ablation"])] if found and "ablation" in found else []),
        *(["## Incidents", *_incidents(incidents)] if incidents else []),
        "## What it cannot see", BLIND,
        "## Calibrate at home", HOME,
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    lines = [list(heads), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _identity(manifest: Figures) -> str:
    fitted = manifest["fitted"]
    return table(("", ""), [
        ("trees", f"{manifest['trees']}"),
        ("behaviours", f"{len(manifest['features']) // 2} signals, layout `{manifest['layout']}`"),
        ("fitted on", f"{fitted['runs']:,} honest runs of {fitted['tasks']:,} tasks, seed {fitted['seed']}"),
        *((f"sha256 of {name}.npz", f"`{value}`") for name, value in manifest["sha256"].items()),
    ])  # fmt: skip


def _data(manifest: Figures) -> str:
    unknown = ("a fleet of one's own", "not said", "")
    rows = [(name, f"{runs:,}", *SOURCES.get(name, unknown)) for name, runs in manifest["fitted"]["workflows"].items()]
    said = "All runs are honest; twins of some, without contents or out of order, are among them and no proof."
    return table(("workflow", "runs", "from", "licence", "what"), rows) + f"\n\n{said}"


def _guarantees(manifest: Figures) -> str:
    limits = Calibration.from_dict(manifest["calibration"])
    sources = manifest["fitted"].get("sources", {})
    every = [*sorted(limits.workflows.items()), ("every other", limits.everywhere)]
    rows = [
        (name, "alerts only" if limit.pause is None else "pauses",
         f"at most {limit.bound:.2%} ever {'alerted on' if limit.pause is None else 'paused'}",
         f"{limit.runs:,} {sources.get(name, '')} runs, counting as {limit.effective:,.0f}".replace("  ", " "))
        for name, limit in every
    ]  # fmt: skip
    heads = ("workflow", "the model", "of honest runs, with 95 % confidence", "proof")
    said = "Peaks are out of fold by task; the bound is exact (Clopper-Pearson)."
    if "simulated" in sources.values():
        said += " Simulated runs are of the demo's fleet: a fleet of yours needs a proof of its own, made at home."
    return f"{table(heads, rows)}\n\n{said}"


def _figures(found: Figures) -> list[str]:
    data = found["data"]
    which = found["model"]["version"]
    how = f"of the model `{which}` as it is" if which else f"out of fold by task, {found['model']['out_of_fold']} folds"
    rows = [
        (name, f"{each['honest']:,}", f"{each['in_scope']:,}",
         *(_figure(each["auroc"][kind]) for kind in ("forest", "trees", "calls", "lexicon")),
         _figure(each["auroc_resisted"]))
        for name, each in found["workflows"].items()
    ]  # fmt: skip
    heads = ("AUROC", "honest", "unsafe in scope", "forest", "supervised trees", "calls", "lexicon", "forest, resisted")
    settings = [
        (f"{name}, {each['rate']:.1%}", _rate(of["in_scope"]), _paused(of["honest"]), _rate(of["resisted"]),
         _rate(of["when"]["before"]), _rate(of["when"]["prevented_with_gate"]))
        for each in found["settings"] for name, of in each["detectors"].items()
    ]  # fmt: skip
    kinds = ["detector, honest runs allowed", "recall in scope", "honest paused", "resisted paused"]
    kinds += ["paused before the harmful call", "before it or at it"]
    gains = ", ".join(
        f"{_figure(each['gain_of_both_over_rules']['in_scope'])} at {each['rate']:.1%}" for each in found["settings"]
    )
    return [
        f"{data['runs']:,} labelled runs of {data['tasks']:,} tasks, {how}; intervals are of 95 %, over tasks. {VIEW}",
        table(heads, rows),
        table(kinds, settings),
        f"Recall that the forest adds to the rules: {gains}.",
    ]


def _ablation(found: Figures) -> list[str]:
    whole, names = found[""], [name for name, value in found[""]["auroc"].items() if value is not None]

    def row(family: str, each: Figures) -> list[str]:
        aurocs = [f"{each['auroc'][name]:.3f}" for name in names]
        return [family, *aurocs, *(f"{of['in_scope']['rate'] or 0.0:.1%}" for of in each["settings"])]

    rows = [row("all", whole), *(row(f"without {name}", each) for name, each in found.items() if name)]
    heads = ["forest", *(f"AUROC {name}" for name in names)]
    heads += [f"recall at {each['rate']:.1%}" for each in whole["settings"]]
    said = (
        "The forest alone, fitted anew without each family, out of fold as above. A family that is worth little here "
        "may stand for harms that this data does not hold."
    )
    return [said, table(heads, rows)]


def _incidents(found: Figures) -> list[str]:
    said = f"Reported destructions re-enacted, {found['variants']} runs of each script, in words that no run of "
    tables = (f"{title}:\n\n{table(heads, rows)}" for title, heads, rows in incident_report.sheets(found)[:2])
    return [said + "its training has.", *tables]


def _figure(figure: Figures) -> str:
    return "-" if figure["value"] is None else f"{figure['value']:.2f} ({figure['low']:.2f} to {figure['high']:.2f})"


def _rate(rate: Figures) -> str:
    return "-" if rate["rate"] is None else f"{rate['rate']:.1%} ({rate['low']:.1%} to {rate['high']:.1%})"


def _paused(rate: Figures) -> str:
    return "-" if rate["rate"] is None else f"{rate['hit']} of {rate['runs']:,} (at most {rate['bound_by_task']:.1%})"
