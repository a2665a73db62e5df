"""A run folder is written whole or not at all, and never over somebody else's files."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

from journeymine.errors import JourneymineError, OutputError
from journeymine.reporting import folder as module
from journeymine.reporting.folder import check_folder, write_run

FILES = {"report.json": b"{}", "tables/fixes.parquet": b"PAR1", "report.html": b"<p>", "fixes.csv": b"a\r\n"}
ORDER = ["report.html", "fixes.csv", "report.json", "tables/fixes.parquet", "run.json"]


def tree(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def no_run_id(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if name != "run.json"}


def test_files_are_written_and_listed_report_first(tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    paths = write_run(out, FILES, source=[Path("events.csv"), "SELECT 1"], threads=2)
    assert [p.relative_to(out).as_posix() for p in paths] == ORDER
    assert no_run_id(tree(out)) == FILES
    assert [p.name for p in out.parent.iterdir()] == ["b"]
    manifest = json.loads((out / "run.json").read_bytes())
    assert manifest["program"] == "journeymine"
    assert manifest["threads"] == 2
    assert manifest["source"] == [str(Path("events.csv").absolute()), "SELECT 1"]
    assert {"duckdb", "numpy"} <= set(manifest["packages"])
    assert manifest["made_at"].endswith("Z")
    listed = {entry["path"]: entry for entry in manifest["files"]}
    assert set(listed) == set(FILES)
    for name, content in FILES.items():
        assert listed[name]["sha256"] == hashlib.sha256(content).hexdigest()
        assert listed[name]["bytes"] == len(content)


def test_paths_are_those_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert write_run("out", {"report.html": b""}) == [Path("out/report.html"), Path("out/run.json")]


def test_files_have_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").mkdir()
    (tmp_path / "usual" / "f").write_bytes(b"")
    write_run(tmp_path / "out", FILES)
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "usual").stat().st_mode
    assert (tmp_path / "out" / "fixes.csv").stat().st_mode == (tmp_path / "usual" / "f").stat().st_mode


def test_functions_write_their_own_file(tmp_path: Path) -> None:
    write_run(tmp_path / "out", {"big.bin": lambda path: path.write_bytes(b"x" * 10) and None})
    assert (tmp_path / "out" / "big.bin").read_bytes() == b"x" * 10


def test_a_second_run_replaces_the_first_and_keeps_what_is_not_its_own(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_run(out, FILES)
    first = json.loads((out / "run.json").read_bytes())["run_id"]
    (out / "notes.txt").write_text("mine")
    (out / "tables" / "mine.csv").write_text("mine")
    write_run(out, {"report.html": b"new"})
    assert no_run_id(tree(out)) == {"report.html": b"new", "notes.txt": b"mine", "tables/mine.csv": b"mine"}
    assert json.loads((out / "run.json").read_bytes())["run_id"] != first
    (out / "tables" / "mine.csv").unlink()
    write_run(out, FILES)
    write_run(out, {"report.html": b"new"})
    assert not (out / "tables").exists()


@pytest.mark.parametrize("litter", [[], [".DS_Store"], ["lost+found"]])
def test_empty_folders_are_used(tmp_path: Path, litter: list[str]) -> None:
    for name in litter:
        (tmp_path / name).write_bytes(b"")
    write_run(tmp_path, FILES)
    assert no_run_id({n: c for n, c in tree(tmp_path).items() if n not in litter}) == FILES


@pytest.mark.parametrize(
    "manifest",
    [
        None,
        b"",
        b"[]",
        b"{}",
        b'{"program": "other", "files": []}',
        b'{"program": "journeymine"}',
        b"\xff",
        b'{"program": "journeymine", "files": [3]}',
    ],
)
def test_foreign_folders_are_refused_untouched(tmp_path: Path, manifest: bytes | None) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    if manifest is not None:
        (tmp_path / "run.json").write_bytes(manifest)
    before = tree(tmp_path)
    for call in (lambda: write_run(tmp_path, FILES), lambda: check_folder(tmp_path)):
        with pytest.raises(OutputError, match=r"not empty and not the folder(.|\n)*thesis\.tex") as caught:
            call()
        assert caught.value.exit_code == 2
    assert tree(tmp_path) == before


def test_files_of_others_in_a_run_folder_are_not_replaced(tmp_path: Path) -> None:
    write_run(tmp_path, {"report.html": b"old"})
    (tmp_path / "fixes.csv").write_text("mine")
    before = tree(tmp_path)
    with pytest.raises(OutputError, match=r"no run wrote(.|\n)*fixes\.csv"):
        write_run(tmp_path, FILES)
    assert tree(tmp_path) == before


def test_a_manifest_cannot_reach_outside(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_run(out, {"report.html": b"old"})
    victims = [tmp_path / "victim", tmp_path / "elsewhere" / "victim"]
    (tmp_path / "elsewhere").mkdir()
    for victim in victims:
        victim.write_text("keep me")
    (out / "link").symlink_to(tmp_path / "elsewhere")
    data = json.loads((out / "run.json").read_bytes())
    names = ["../victim", str(victims[0]), "link/victim", "..\\victim", "", "."]
    data["files"] += [{"path": name} for name in names]
    (out / "run.json").write_text(json.dumps(data))
    write_run(out, {"report.html": b"new"})
    assert [victim.read_text() for victim in victims] == ["keep me", "keep me"]
    with pytest.raises(OutputError, match="no run wrote"):
        write_run(out, {"link/new.csv": b""})


@pytest.mark.parametrize("name", ["../x", "/x", "", "a/../../x", "run.json", ".journeymine-x"])
def test_names_outside_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="cannot be the name"):
        write_run(tmp_path / "out", {name: b""})
    assert list(tmp_path.iterdir()) == []


def test_files_and_links_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for name, words in [
        ("file", "is a file"),
        ("file/out", "file stands in its way"),
        ("dangling", "a link to"),
        ("loop", "link|Symlink"),
    ]:
        for call in (
            lambda name=name: write_run(tmp_path / name, FILES),
            lambda name=name: check_folder(tmp_path / name),
        ):
            with pytest.raises(OutputError, match=words):
                call()
    write_run(tmp_path / "link", FILES)
    assert (tmp_path / "link").is_symlink()
    assert no_run_id(tree(tmp_path / "real")) == FILES


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OutputError, match="no permission") as caught:
        write_run(tmp_path / "out", FILES)
    assert caught.value.exit_code == 2
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="no permission"):
        check_folder(tmp_path / "out")


@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize("how", ["errno", "text", "cause"])
def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path, old: bool, how: str) -> None:
    def full(path: Path) -> None:
        path.write_bytes(b"half")
        if how == "errno":
            raise OSError(errno.ENOSPC, "No space left on device")
        if how == "text":
            raise RuntimeError("IO Error: could not write: No space left on device")
        raise RuntimeError("could not write") from OSError(errno.EDQUOT, "Disk quota exceeded")

    out = tmp_path / "new" / "out"
    if old:
        write_run(out, FILES)
    before = tree(tmp_path)
    with pytest.raises(JourneymineError, match="disk is full") as caught:
        write_run(out, {"report.html": b"new", "tables/z.parquet": full})
    assert caught.value.exit_code == 4
    assert tree(tmp_path) == before
    assert (tmp_path / "new").exists() == old


@pytest.mark.parametrize("error", [RuntimeError("bug"), KeyboardInterrupt(), OSError(errno.EIO, "I/O error")])
def test_other_failures_leave_everything_as_it_was(tmp_path: Path, error: BaseException) -> None:
    def fail(path: Path) -> None:
        raise error

    write_run(tmp_path / "out", FILES)
    before = tree(tmp_path)
    with pytest.raises((RuntimeError, KeyboardInterrupt, OutputError)):
        write_run(tmp_path / "out", {"report.html": b"new", "z": fail})
    assert tree(tmp_path) == before


@pytest.mark.parametrize("fail_at", range(6))
@pytest.mark.parametrize("links", [True, False])
def test_a_failure_in_the_middle_of_the_exchange_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fail_at: int, links: bool
) -> None:
    write_run(tmp_path, {"report.html": b"old", "tables/gone.parquet": b"old", "fixes.csv": b"old"})
    before = tree(tmp_path)
    real, calls = Path.replace, iter(range(100))

    def replace(self: Path, target: Path) -> Path:
        if ".journeymine-" in str(self) and "old" not in self.parts[-2] and next(calls) == fail_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, target)

    def no_links(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "replace", replace)
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    new = {"report.html": b"new", "fixes.csv": b"new", "a/b.csv": b"new", "report.json": b"new"}
    if fail_at == 5:
        write_run(tmp_path, new)
        assert no_run_id(tree(tmp_path)) == new
        return
    with pytest.raises(JourneymineError, match="disk is full"):
        write_run(tmp_path, new)
    assert tree(tmp_path) == before
    assert not (tmp_path / "a").exists()


def test_the_manifest_goes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(tmp_path, FILES)
    moved: list[str] = []
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        moved.append(Path(target).name)
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    write_run(tmp_path, FILES)
    assert moved[-1] == "run.json"


def test_leftovers_of_a_killed_run_do_not_lock_the_folder(tmp_path: Path) -> None:
    (tmp_path / ".journeymine-0123").mkdir()
    (tmp_path / ".journeymine-0123" / "report.html").write_text("half")
    write_run(tmp_path, FILES)
    assert (tmp_path / "report.html").read_bytes() == b"<p>"


def test_the_check_is_silent_for_good_folders(tmp_path: Path) -> None:
    check_folder(tmp_path)
    check_folder(tmp_path / "a" / "b" / "c")
    write_run(tmp_path / "out", FILES)
    check_folder(tmp_path / "out", list(FILES))
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.skipif(sys.platform == "win32", reason="names are bytes on POSIX only")
def test_paths_that_are_not_utf8(tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    write_run(odd, FILES, source=[odd / "x.csv"])
    assert no_run_id(tree(odd)) == FILES
    write_run(odd, {"report.html": b"new"})
    assert no_run_id(tree(odd)) == {"report.html": b"new"}


def test_the_marker_of_scratch_folders_is_the_documented_one() -> None:
    assert module.SCRATCH == ".journeymine-"
