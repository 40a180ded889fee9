"""How plug-ins are found."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from detector import plugins
from detector.errors import PluginError

Package = Callable[[str, str], int]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    """An empty package in place of the dialects; modules are written into it by name."""
    folder = tmp_path / "made_up"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(plugins.KINDS, "made_up", "DIALECT")
    monkeypatch.setattr(plugins, "entry_points", lambda **_: [])
    yield lambda name, text: (folder / f"{name}.py").write_text(text)
    for name in [name for name in sys.modules if name.split(".")[0] == "made_up"]:
        del sys.modules[name]
    plugins.find.cache_clear()


PLUGIN = "class D:\n    name = {0!r}\nDIALECT = D()\n"


def test_a_file_is_all_that_a_plugin_needs(package: Package) -> None:
    """Modules are found by their place, in order of their names; base and private ones are not plug-ins."""
    package("zeta", PLUGIN.format("z"))
    package("alpha", PLUGIN.format("a"))
    package("base", "raise RuntimeError")
    package("_helper", "raise RuntimeError")
    assert [plugin.name for plugin in plugins.find("made_up")] == ["a", "z"]


def test_an_entry_point_joins_after_the_files(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of one's own adds a plug-in through the group's entry point."""
    package("zeta", PLUGIN.format("z"))
    package("_outside", PLUGIN.format("own"))
    point = EntryPoint("own", "made_up._outside", "made_up")
    monkeypatch.setattr(plugins, "entry_points", lambda **_: [point])
    assert [plugin.name for plugin in plugins.find("made_up")] == ["z", "own"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("OTHER = 1", "expected an object DIALECT with a `name`, found None"),
        ("DIALECT = object()", "expected an object DIALECT with a `name`"),
        ("import nothing_of_this_name", "could not be imported"),
    ],
)
def test_a_broken_plugin_is_named(package: Package, text: str, said: str) -> None:
    """A module without its object, without a name, or that can't be imported raises with its name."""
    package("broken", text)
    with pytest.raises(PluginError, match=re.escape(f"made_up.broken: {said}")):
        plugins.find("made_up")


def test_a_name_is_used_once(package: Package) -> None:
    """Two plug-ins of one name refuse to start."""
    package("one", PLUGIN.format("same"))
    package("two", PLUGIN.format("same"))
    with pytest.raises(PluginError, match=r"made_up\.two: the name 'same' is taken"):
        plugins.find("made_up")


@pytest.mark.parametrize("group", sorted(plugins.KINDS))
def test_every_kind_has_plugins_in_this_package(group: str) -> None:
    """Dialects, behaviours and enforcers are all found, each with a name of its own."""
    names = [plugin.name for plugin in plugins.find(group)]
    assert names
    assert len(set(names)) == len(names)
