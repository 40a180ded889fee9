"""Finds dialects, behaviours and enforcers: one file each, nothing else to edit.

A plug-in is a module in `detector/dialects`, `detector/behaviours` or
`detector/control/enforcers` whose name doesn't begin with an underscore and isn't `base`,
with one public object under the name that its kind asks for. A package of one's own joins
by an entry point in the group of the same name (`detector.dialects`, ...) that names such a
module. Order is by module name, entry points last, so that feature order is stable.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from detector.errors import PluginError

KINDS = {
    "detector.dialects": "DIALECT",
    "detector.behaviours": "BEHAVIOUR",
    "detector.control.enforcers": "ENFORCER",
}


@cache
def find(group: str) -> tuple[Any, ...]:
    """The plug-ins of `group`, a key of KINDS, in stable order.

    Raises PluginError where a module can't be imported, lacks its object, or uses a name twice.
    """
    attribute = KINDS[group]
    package = importlib.import_module(group)
    names = sorted(
        f"{group}.{m.name}"
        for m in pkgutil.iter_modules(package.__path__)
        if not m.name.startswith("_") and m.name != "base"
    )
    names += sorted(point.value for point in entry_points(group=group))
    found: dict[str, Any] = {}
    for name in names:
        plugin = _load(name, attribute)
        if plugin.name in found:
            raise PluginError(f"{name}: the name {plugin.name!r} is taken by another plug-in of {group}")
        found[plugin.name] = plugin
    return tuple(found.values())


def _load(module_name: str, attribute: str) -> Any:
    try:
        module = importlib.import_module(module_name)
    except Exception as fault:
        raise PluginError(f"{module_name}: could not be imported: {fault}") from fault
    plugin = getattr(module, attribute, None)
    if plugin is None or not isinstance(getattr(plugin, "name", None), str):
        raise PluginError(f"{module_name}: expected an object {attribute} with a `name`, found {plugin!r}")
    return plugin
