"""All consumer groups of the broker."""

from detector.embedded.group import Group
from detector.embedded.wire import Code, RefusedError


class Groups:
    """All groups of the broker."""

    MAX = 1_000

    def __init__(self) -> None:
        """Start without groups."""
        self._groups: dict[str, Group] = {}

    def all(self) -> list[Group]:
        """Every group."""
        return list(self._groups.values())

    def find(self, name: str) -> Group | None:
        """Return the group, None where there is none."""
        return self._groups.get(name)

    def get(self, name: str) -> Group:
        """Return the group, made where it is new; RefusedError at the limit."""
        group = self._groups.get(name)
        if group is None:
            if not name:
                raise RefusedError(Code.INVALID_GROUP_ID)
            if len(self._groups) >= self.MAX:
                raise RefusedError(Code.GROUP_MAX_SIZE_REACHED)
            group = self._groups[name] = Group(name)
        return group

    def delete(self, name: str) -> None:
        """Delete an empty group; GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP otherwise."""
        group = self._groups.get(name)
        if group is None:
            raise RefusedError(Code.GROUP_ID_NOT_FOUND)
        if group.members:
            raise RefusedError(Code.NON_EMPTY_GROUP)
        del self._groups[name]

    def forget_topic(self, topic: str) -> None:
        """Drop the offsets of a deleted topic."""
        for group in self._groups.values():
            for key in [key for key in group.offsets if key[0] == topic]:
                del group.offsets[key]

    def sweep(self, now: float) -> None:
        """Apply time to every group, and forget those without members and offsets."""
        for group in self.all():
            group.sweep(now)
            if not group.members and not group.offsets:
                del self._groups[group.name]
