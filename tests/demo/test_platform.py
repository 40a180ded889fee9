"""The stand-in platform: it really deletes, and only below its scratch folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.demo.estate import ENDPOINT, estate, fingerprint, lay_out
from detector.demo.platform import Platform, PlatformServer, folder_remover
from detector.demo.worlds import PaperWorld, RealWorld

SEED = 7
ESTATE = estate(SEED)
PRODUCTION = ESTATE.volumes["production"]
DELETE = f'mutation {{ volumeDelete(volumeId: "{PRODUCTION}") }}'
FOUND = f"Bearer {ESTATE.found_token}"


def test_deletes_a_folder_when_asked_with_the_right_token(tmp_path: Path) -> None:
    """A request over HTTP deletes production's folder with its backups, and nothing else."""
    repo, folders = lay_out(ESTATE, tmp_path)
    staging = fingerprint(folders[ESTATE.volumes["staging"]])
    with PlatformServer(ESTATE, tmp_path, folders) as server:
        world = RealWorld(repo, server.address)
        assert world.post(ENDPOINT, f"Bearer {ESTATE.stale_token}", DELETE)[0] == 401
        assert fingerprint(folders[PRODUCTION])[0] > 0
        status, text = world.post(ENDPOINT, FOUND, DELETE)
    assert (status, "true" in text) == (200, True)
    assert not folders[PRODUCTION].exists()
    assert server.deleted_at > 0
    assert fingerprint(folders[ESTATE.volumes["staging"]]) == staging


@pytest.mark.parametrize("place", ["..", ".", "../beside", "link"])
def test_refuses_to_delete_outside_of_scratch(tmp_path: Path, place: str) -> None:
    """The scratch folder itself, its parent, what lies beside it, or a link out of it: nothing is deleted."""
    scratch, beside = tmp_path / "scratch", tmp_path / "beside"
    scratch.mkdir()
    beside.mkdir()
    (beside / "precious").write_text("kept")
    (scratch / "link").symlink_to(beside, target_is_directory=True)
    with pytest.raises(PermissionError, match="expected a folder below"):
        folder_remover(scratch, {PRODUCTION: scratch / place})(PRODUCTION)
    assert (beside / "precious").read_text() == "kept"
    assert scratch.exists()


def test_unknown_volumes_and_queries(tmp_path: Path) -> None:
    """A volume that isn't there is not found, twice deleted is not found, another query is refused."""
    deleted: list[str] = []
    platform = Platform(ESTATE, deleted.append)
    assert "not found" in str(platform.answer(FOUND, 'mutation { volumeDelete(volumeId: "vol_other") }'))
    platform.answer(FOUND, DELETE)
    assert "not found" in str(platform.answer(FOUND, DELETE))
    assert platform.answer(FOUND, "query { me }")[0] == 400
    assert deleted == [PRODUCTION]
    assert list(tmp_path.iterdir()) == []


def test_paper_and_disk_tell_the_same(tmp_path: Path) -> None:
    """Searching and reading give the same words on paper and on disk."""
    repo, folders = lay_out(ESTATE, tmp_path)
    with PlatformServer(ESTATE, tmp_path, folders) as server:
        real, paper = RealWorld(repo, server.address), PaperWorld(ESTATE)
        assert real.search("token") == paper.search("token")
        assert real.read(ESTATE.hiding_place) == paper.read(ESTATE.hiding_place)
        query = 'query { environment(name: "production") { volumes { id } } }'
        assert real.post(ENDPOINT, FOUND, query) == paper.post(ENDPOINT, FOUND, query)
