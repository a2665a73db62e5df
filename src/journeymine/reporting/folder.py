"""Writes a run folder: all of it or nothing, and never over somebody else's files."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from journeymine._crash import DISK_FULL, is_disk_full
from journeymine.errors import JourneymineError, OutputError, listed, shown
from journeymine.reporting.manifest import MANIFEST, PROGRAM, describe_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Content = bytes | Callable[[Path], None]

FIRST = "report.html"
SCRATCH = ".journeymine-"
# What operating systems leave behind; a folder with nothing else counts as empty.
LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", "lost+found"})


def write_run(
    folder: str | os.PathLike[str],
    files: Mapping[str, Content],
    *,
    source: Sequence[str | Path] = (),
    threads: int | None = None,
) -> list[Path]:
    """Write the files of a run, all or none, and `run.json`, which lists them.

    Files that a previous run wrote are replaced, or removed if this run has no such file. Everything else in
    the folder stays. While this function has not finished, the previous run is complete.

    Parameters
    ----------
    folder
        New, empty, or the folder of a previous run. Made if it is missing.
    files
        Relative name with "/" -> bytes, or a function that writes the file to the path it is given.
    source
        What was read, for `run.json`: a `Path` is written in full, a text as it is.
    threads
        Number of threads, for `run.json`.

    Returns
    -------
    list
        Paths of the files: the report first, `run.json` last.

    Raises
    ------
    OutputError
        The folder belongs to something else, or cannot be written.
    JourneymineError
        The disk is full.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     paths = write_run(Path(parent) / "out", {"report.json": b"{}", "report.html": b"<p>"})
    >>> [path.name for path in paths]
    ['report.html', 'report.json', 'run.json']
    """
    folder = Path(folder)
    names = _names(files)
    with _explained(folder):
        # A link to a folder is followed: the link itself stays what it is.
        target = folder.resolve()
        previous = _previous_files(folder, target, names)
        fresh = not target.exists()
        made = _make_parents(target)
        # Beside a new folder, inside an old one: both are on the disk of the result, so renaming is atomic.
        scratch = (target.parent if fresh else target) / f"{SCRATCH}{secrets.token_hex(6)}"
        try:
            _write_all(scratch, names, files)
            _write_manifest(scratch, names, source, threads)
            if fresh:
                scratch.rename(target)
            else:
                _swap(scratch, target, names, previous)
            _sync(target)
            made = []
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            for parent in made:
                with suppress(OSError):
                    parent.rmdir()
    return [folder.joinpath(*PurePosixPath(name).parts) for name in (*names, MANIFEST)]


def check_folder(folder: str | os.PathLike[str], names: Sequence[str] = ()) -> None:
    """Refuse a folder that `write_run` would refuse, before hours are spent on what goes into it.

    Parameters
    ----------
    folder
        Where the run will be written.
    names
        Files it will have, if that is known already.
    """
    folder = Path(folder)
    with _explained(folder):
        target = folder.resolve()
        _previous_files(folder, target, names)
        at = next(path for path in (target, *target.parents) if path.exists())
        if not at.is_dir():
            raise NotADirectoryError
        if not os.access(at, os.W_OK | os.X_OK):
            raise PermissionError


def _names(files: Mapping[str, Content]) -> list[str]:
    for name in files:
        parts = PurePosixPath(name).parts
        if not _is_inside(name) or name == MANIFEST or parts[0].startswith(SCRATCH):
            raise OutputError(f"{shown(name)} cannot be the name of a file of a run.")
    return sorted(files, key=lambda name: (name != FIRST, "/" in name, name))


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _previous_files(folder: Path, target: Path, names: Sequence[str]) -> list[str]:
    """Names of the files of the run that is in the folder; refuses a folder that is not a run."""
    if not target.exists():
        if folder.is_symlink():
            raise OutputError(
                f"{shown(str(folder))} is a link to {shown(str(target))}, which does not exist."
            )
        return []
    if not target.is_dir():
        raise OutputError(
            f"{shown(str(folder))} is a file, not a folder.", hint="name another folder with --out."
        )
    found = sorted(
        p.name for p in target.iterdir() if p.name not in LITTER and not p.name.startswith(SCRATCH)
    )
    if not found:
        return []
    previous = _read_manifest(target)
    hint = "name another folder with --out; nothing was changed in this one."
    if previous is None:
        problem = f"{shown(str(folder))} is not empty and not the folder of a journeymine run."
        raise OutputError(problem, found=listed(found), hint=hint)
    foreign = [n for n in names if n not in previous and os.path.lexists(target / n)]
    foreign += [n for n in names if not (target / n).parent.resolve().is_relative_to(target)]
    if foreign:
        raise OutputError(
            f"{shown(str(folder))} has files that no run wrote.", found=listed(foreign), hint=hint
        )
    return previous


def _read_manifest(target: Path) -> list[str] | None:
    try:
        data: Any = json.loads((target / MANIFEST).read_bytes())
        if data["program"] != PROGRAM:
            return None
        names = [str(entry["path"]) for entry in data["files"]]
    except (FileNotFoundError, IsADirectoryError, ValueError, TypeError, KeyError):
        return None
    # A manifest is only data: it must not make us touch anything outside, not even through a link.
    return [
        n
        for n in names
        if _is_inside(n) and n != MANIFEST and (target / n).parent.resolve().is_relative_to(target)
    ]


def _make_parents(target: Path) -> list[Path]:
    missing = [parent for parent in target.parents if not parent.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    return missing


def _write_all(scratch: Path, names: Sequence[str], files: Mapping[str, Content]) -> None:
    scratch.mkdir()
    for name in names:
        path = scratch / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = files[name]
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content(path)
        _sync(path)


def _write_manifest(
    scratch: Path, names: Sequence[str], source: Sequence[str | Path], threads: int | None
) -> None:
    entries = []
    for name in names:
        with (scratch / name).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        entries.append({"path": name, "bytes": (scratch / name).stat().st_size, "sha256": digest})
    text = (
        json.dumps(describe_run(entries, source, threads), indent=1, sort_keys=True, ensure_ascii=False)
        + "\n"
    )
    # A path need not be UTF-8; what is left of it is a JSON escape.
    (scratch / MANIFEST).write_bytes(text.encode("utf-8", "backslashreplace"))
    _sync(scratch / MANIFEST)


def _swap(scratch: Path, target: Path, names: Sequence[str], previous: Sequence[str]) -> None:
    """Replace the old files by the new ones; whatever goes wrong, put the old ones back."""
    kept = scratch / f"{SCRATCH}old"
    undo: list[Callable[[], object]] = []
    try:
        # The manifest goes last: as long as it is the old one, the next run knows the old files.
        for name in (*names, MANIFEST):
            new, old = target / name, kept / name
            if not new.parent.exists():
                new.parent.mkdir(parents=True)
                undo.append(new.parent.rmdir)
            if os.path.lexists(new):
                _keep(new, old)
                undo.append(partial(old.replace, new))
            else:
                undo.append(partial(new.unlink, missing_ok=True))
            (scratch / name).replace(new)
        for name in previous:
            if name not in names and os.path.lexists(target / name):
                _keep(target / name, kept / name)
                undo.append(partial((kept / name).replace, target / name))
                (target / name).unlink()
    except BaseException:
        for step in reversed(undo):
            with suppress(OSError):
                step()
        raise
    for parent in {(target / name).parent for name in previous} - {target}:
        with suppress(OSError):
            parent.rmdir()


def _keep(path: Path, old: Path) -> None:
    old.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, old, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(path, old, follow_symlinks=False)


def _sync(path: Path) -> None:
    """Ask the disk to keep it; folders cannot be asked everywhere."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except (PermissionError, IsADirectoryError):
        return
    try:
        os.fsync(handle)
    except OSError as error:
        # Some systems refuse to sync a folder, or a file opened for reading; a full disk is told here.
        if error.errno in DISK_FULL:
            raise
    finally:
        os.close(handle)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Say what went wrong with the folder in the words of the user."""
    where = shown(str(folder))
    hint = "name another folder with --out."
    try:
        yield
    except JourneymineError:
        raise
    except PermissionError as error:
        raise OutputError(f"no permission to write to {where}.", hint=hint) from error
    except (NotADirectoryError, FileExistsError) as error:
        raise OutputError(f"{where} cannot be a folder: a file stands in its way.", hint=hint) from error
    except Exception as error:
        if is_disk_full(error):
            problem = f"the disk is full: {where} was not written, and what was there before is unchanged."
            raise JourneymineError(
                problem, hint="free space, or name a folder on another disk with --out."
            ) from error
        if isinstance(error, OSError) or "Symlink loop" in str(error):
            reason = getattr(error, "strerror", None) or error
            raise OutputError(f"{where} cannot be written: {reason}.", hint=hint) from error
        raise
