"""The journal on disk: what was written comes back whatever happens to it, and the dead are told from the living."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from azml_compat._journal import Cursor, Header, Journal, JournalFile, Spool, home, places
from azml_compat._journal.lines import encode_line, read_lines
from tests.disks import FULL_OR_READ_ONLY, Disk

REPOSITORY = Path(__file__).parents[1]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
PAYLOADS = st.lists(JSON.map(json.dumps), max_size=8)


@contextmanager
def a_file(content):
    """A descriptor of an anonymous file, so that hypothesis needs no folder for each example."""
    descriptor = os.memfd_create("journal")
    try:
        os.write(descriptor, content)
        yield descriptor
    finally:
        os.close(descriptor)


def payloads_of(content, start=0, limit=1 << 40):
    """The payloads of the lines in `content`, None for damaged ones."""
    with a_file(content) as descriptor:
        return [
            None if line.payload is None else line.payload.decode() for line in read_lines(descriptor, start, limit)
        ]


def header(**more):
    return Header.of_this_process(**{"run": "r", "is_owner": True, "store": "s", "has_credentials": False, **more})


@pytest.fixture
def spool():
    return Spool("sqlite:///x.db")


@pytest.fixture
def journal(spool):
    return spool.create("r", header())


def lines_of(journal_file, start=None):
    """The payloads that a journal holds."""
    start = journal_file.start if start is None else start
    return [line.payload and json.loads(line.payload) for line in journal_file.lines(start, 1 << 40)]


# Lines


@given(PAYLOADS)
def test_any_json_comes_back(payloads):
    assert payloads_of(b"".join(map(encode_line, payloads))) == payloads


@given(PAYLOADS, st.integers(0, 200))
def test_a_reader_that_takes_little_at_a_time_gets_all_of_it(payloads, limit):
    content = b"".join(map(encode_line, payloads))
    found, at = [], 0
    with a_file(content) as descriptor:
        while lines := read_lines(descriptor, at, max(1, limit)):
            found += [line.payload.decode() for line in lines]
            at = lines[-1].end

    assert found == payloads
    assert at == len(content)


def test_lines_longer_than_one_read_come_back():
    payloads = [json.dumps("x" * size) for size in (1 << 12, (1 << 12) - 20, 3 << 20, 1)]

    assert payloads_of(b"".join(map(encode_line, payloads)), limit=1) == payloads[:1]
    assert payloads_of(b"".join(map(encode_line, payloads))) == payloads


def test_a_file_that_was_cut_gives_the_whole_lines_before_the_cut_and_no_more():
    payloads = [json.dumps(value) for value in (1, "a\nb", [1.5, None], {"ä": "ö"}, "", 10**30)]
    lines = [encode_line(payload) for payload in payloads]
    content = b"".join(lines)
    ends = [sum(map(len, lines[: count + 1])) for count in range(len(lines))]

    for size in range(len(content) + 1):
        assert payloads_of(content[:size]) == payloads[: sum(end <= size for end in ends)]


@settings(max_examples=300)
@given(PAYLOADS, st.lists(st.tuples(st.integers(0, 8), st.binary(max_size=40)), max_size=5))
@example([json.dumps("a")], [(0, b"\0" * 40)])
@example([json.dumps("a")], [(0, b"\n\n\n")])
def test_garbage_between_lines_hides_none_of_them_and_makes_no_new_ones(payloads, pieces):
    lines = [encode_line(payload) for payload in payloads]
    for place, garbage in pieces:
        lines.insert(min(place, len(lines)), garbage + b"\n")

    assert [payload for payload in payloads_of(b"".join(lines)) if payload is not None] == payloads


@settings(max_examples=300)
@given(st.lists(JSON.map(json.dumps), min_size=1, max_size=8), st.data())
def test_garbage_over_lines_costs_only_the_lines_it_touches(payloads, data):
    lines = [encode_line(payload) for payload in payloads]
    content = bytearray(b"".join(lines))
    at = data.draw(st.integers(0, len(content) - 1))
    garbage = data.draw(st.binary(min_size=1, max_size=60))[: len(content) - at]
    content[at : at + len(garbage)] = garbage
    ends = [sum(map(len, lines[: count + 1])) for count in range(len(lines))]
    # A line is untouched when neither it nor the newline before it was written over.
    untouched = [
        payload
        for payload, end, line in zip(payloads, ends, lines, strict=True)
        if end <= at or end - len(line) > at + len(garbage)
    ]
    found = [payload for payload in payloads_of(bytes(content)) if payload is not None]

    assert set(found) <= set(payloads)
    rest = iter(found)
    assert all(payload in rest for payload in untouched), "lost, or out of order"


def test_a_tail_of_zeros_as_power_loss_leaves_it_is_no_line():
    assert payloads_of(encode_line("1") + b"\0" * 5000) == ["1"]


# The cursor

CURSORS = st.builds(
    Cursor,
    st.integers(0, 2**62),
    st.integers(0, 2**62),
    st.integers(0, 2**62),
    st.none() | st.text("0123456789abcdef", min_size=32, max_size=32),
)


@given(st.lists(CURSORS, min_size=1, max_size=5))
def test_a_cursor_says_what_was_written_last(cursors):
    with a_file(b"") as descriptor:
        for cursor in cursors:
            cursor.write(descriptor)

        assert Cursor.read(descriptor) == cursors[-1]


def test_a_journal_without_a_cursor_has_not_been_delivered():
    with a_file(b"") as descriptor:
        assert Cursor.read(descriptor) == Cursor()


@settings(max_examples=300)
@given(CURSORS, st.integers(0, 264), st.binary(min_size=1, max_size=300))
def test_a_damaged_cursor_says_that_anything_may_have_been_sent(cursor, at, garbage):
    with a_file(b"") as descriptor:
        cursor.write(descriptor)
        os.pwrite(descriptor, garbage, at)
        found = Cursor.read(descriptor)

    assert found == cursor or (found.at == 0 and found.is_uncertain)


@given(CURSORS, st.integers(1, 264))
def test_a_cut_cursor_says_that_anything_may_have_been_sent(cursor, size):
    with a_file(b"") as descriptor:
        cursor.write(descriptor)
        os.ftruncate(descriptor, size)
        found = Cursor.read(descriptor)

    assert found == cursor or (found.at == 0 and found.is_uncertain)


@pytest.mark.parametrize("content", [b"17", b"[1,2,3,4,5,6]"])
def test_a_cursor_whose_checksum_fits_and_whose_content_does_not_counts_as_damaged(content):
    with a_file(b"%08x %b" % (crc32(content), content)) as descriptor:
        assert Cursor.read(descriptor).is_uncertain


def test_the_cursor_of_a_journal_lies_within_it(spool, journal):
    journal.write("1")
    with spool.open(journal.path) as file:
        file.set_cursor(Cursor(0, 1 << 50))

        assert file.cursor == Cursor(file.start, file.size)


# Writing


def test_what_was_written_comes_back_behind_the_header(spool, journal):
    journal.write(json.dumps("a"))
    journal.write(json.dumps([1, 2]))

    with spool.open(journal.path) as file:
        assert file.header == journal.header
        assert lines_of(file) == ["a", [1, 2]]
        assert file.size == journal.size


@pytest.mark.parametrize("taken", [1, 5, 12])
def test_a_line_that_the_disk_takes_in_parts_is_whole(spool, journal, mocker, taken):
    real = os.write
    mocker.patch("os.write", lambda descriptor, data: real(descriptor, data[:taken]))
    journal.write(json.dumps("first"))
    mocker.stopall()
    journal.write(json.dumps("second"))

    with spool.open(journal.path) as file:
        assert lines_of(file) == ["first", "second"]


@pytest.mark.parametrize("taken", [0, 1, 8, 9, 15])
def test_of_a_line_that_the_disk_does_not_take_nothing_remains(spool, journal, mocker, taken):
    journal.write(json.dumps("before"))
    size = journal.path.stat().st_size
    full = OSError(errno.ENOSPC, "No space left on device")
    real = os.write
    left = [taken]

    def write(descriptor, data):
        if not left or left[0] == 0:
            raise full
        return real(descriptor, data[: left.pop()])

    mocker.patch("os.write", write)
    with pytest.raises(OSError, match="No space"):
        journal.write(json.dumps("lost"))
    mocker.stopall()

    assert journal.path.stat().st_size == size == journal.size
    journal.write(json.dumps("after"))
    with spool.open(journal.path) as file:
        assert lines_of(file) == ["before", "after"]


def test_an_interruption_right_after_a_write_does_not_cost_a_line_when_the_disk_is_full_later(spool, journal, mocker):
    real = os.write

    def interrupted(descriptor, data):
        real(descriptor, data)
        raise KeyboardInterrupt

    mocker.patch("os.write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        journal.write(json.dumps("interrupted"))
    mocker.stopall()
    journal.write(json.dumps("acknowledged"))
    parts = iter([3])

    def full(descriptor, data):
        for size in parts:
            return real(descriptor, data[:size])
        raise OSError(errno.ENOSPC, "No space left on device")

    mocker.patch("os.write", full)
    with pytest.raises(OSError, match="No space"):
        journal.write(json.dumps("lost"))
    mocker.stopall()

    with spool.open(journal.path) as file:
        assert lines_of(file) == ["interrupted", "acknowledged"]


def test_a_journal_that_cannot_be_made_leaves_nothing(spool, mocker):
    mocker.patch("os.write", side_effect=OSError(errno.ENOSPC, "No space left on device"))

    with pytest.raises(OSError, match="No space"):
        spool.create("r", header())
    assert list((spool.folder / "r").iterdir()) == []


@pytest.mark.parametrize(("seconds", "expected"), [(None, 0), (0.0, 4), (1000.0, 1)])
@pytest.mark.parametrize("since_boot", [5.0, 1e6])
def test_journals_are_forced_to_disk_as_often_as_asked(spool, mocker, seconds, expected, since_boot):
    mocker.patch("time.monotonic", return_value=since_boot)
    sync = mocker.spy(os, "fsync")
    made = spool.create("r", header(), seconds)
    for number in range(3):
        made.write(str(number))

    assert sync.call_count == expected


def test_a_line_that_cannot_be_forced_to_the_disk_is_written_once_and_that_is_told_once(spool, mocker, caplog):
    made = spool.create("r", header(), 0.0)
    mocker.patch("os.fsync", side_effect=OSError(errno.EIO, "Input/output error"))
    for number in range(3):
        made.write(str(number))

    with spool.open(made.path) as file:
        assert lines_of(file) == [0, 1, 2]
    assert [record.getMessage().count("Input/output error") for record in caplog.records] == [1]


def test_a_header_of_a_later_version_is_not_guessed_at():
    fields = dataclasses.asdict(header())

    assert Header.load(json.dumps({**fields, "version": 2, "more": 1}).encode()) is None
    assert Header.load(json.dumps(fields).encode()) is not None


@given(
    st.text(),
    st.booleans(),
    st.lists(st.tuples(st.text(), st.text()), max_size=3),
    st.none() | st.dictionaries(st.text(), JSON),
)
def test_a_header_comes_back(run, is_owner, folders, creation):
    made = header(run=run, is_owner=is_owner, folders=tuple(folders), creation=creation)
    found = Header.load(json.dumps(dataclasses.asdict(made)).encode())

    assert repr(found) == repr(made)  # NaN is unequal to itself


def test_names_of_writers_sort_by_time_and_are_unique():
    names = [Journal.__init__.__globals__["writer_name"]() for _ in range(1000)]

    assert len(set(names)) == 1000
    assert [name[:16] for name in names] == sorted(name[:16] for name in names)


# Private places


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_journals_are_private_to_the_user(spool, journal):
    journal.write("1")
    with spool.open(journal.path) as file:
        file.set_cursor(Cursor())
        file.reject("x")
    everything = [home(), *home().rglob("*")]

    assert {mode_of(path) for path in everything if path.is_dir()} == {0o700}
    assert {mode_of(path) for path in everything if path.is_file()} == {0o600}


def test_an_open_folder_is_closed(tmp_path, monkeypatch):
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o777)
    shared.chmod(0o777)
    monkeypatch.setenv("AZML_COMPAT_HOME", str(shared))
    Spool("s")

    assert mode_of(shared) == 0o700


@pytest.mark.parametrize("level", ["", "spool"])
def test_a_link_in_place_of_a_folder_is_refused(level, tmp_path, monkeypatch):
    target = tmp_path / "elsewhere"
    target.mkdir()
    place = tmp_path / "home" / level
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(target)
    monkeypatch.setenv("AZML_COMPAT_HOME", str(tmp_path / "home"))

    with pytest.raises(OSError, match="not a folder"):
        Spool("s")
    assert list(target.iterdir()) == []


def test_a_link_in_place_of_a_run_or_a_file_is_refused(spool, journal, tmp_path):
    (spool.folder / "other").symlink_to(tmp_path)
    with pytest.raises(OSError, match="not a folder"):
        spool.create("other", header())

    target = tmp_path / "target"
    target.touch()
    with spool.open(journal.path) as file:
        journal.path.with_suffix(".cursor").unlink()
        journal.path.with_suffix(".cursor").symlink_to(target)
        with pytest.raises(OSError, match="symbolic link"):
            file.set_cursor(Cursor())
        journal.path.with_suffix(".rejected").symlink_to(target)
        with pytest.raises(OSError, match="symbolic link"):
            file.reject("x")
    assert target.read_bytes() == b""


@pytest.mark.skipif(os.getuid() != 0, reason="giving a folder away takes root")
def test_a_folder_of_another_user_is_refused(tmp_path, monkeypatch):
    os.chown(home(), 12345, -1)
    with pytest.raises(OSError, match="another user"):
        Spool("s")


def test_descriptors_are_not_for_the_programs_that_a_process_starts(spool, journal):
    assert not os.get_inheritable(journal.descriptor)


# Who is alive

OWNER = """
import os, signal, sys, time
from azml_compat._journal import Header, Spool
spool = Spool("sqlite:///x.db")
def header(**more):
    return Header.of_this_process(**{"run": "r", "is_owner": True, "store": "s", "has_credentials": False, **more})
def ready(what):
    print(what, flush=True)
def wait():
    time.sleep(60)
"""


@pytest.fixture
def other():
    """Starts code in another process; gives the process, and the first line that it printed."""
    started = []

    def start(code):
        process = subprocess.Popen(
            [sys.executable, "-c", OWNER + textwrap.dedent(code)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )
        started.append(process)
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.stdout.close()
        process.wait()


def is_abandoned(spool, path):
    with spool.open(Path(path)) as file:
        return file.is_abandoned


def test_this_process_is_alive(spool, journal):
    assert not is_abandoned(spool, journal.path)
    assert spool.abandoned_runs() == []


def test_another_process_is_alive_until_it_dies(spool, other):
    process, path = other("""
        journal = spool.create("r", header())
        ready(journal.path)
        wait()
    """)
    assert not is_abandoned(spool, path)
    assert [state.is_alive for state in spool.survey("r")] == [True]

    process.kill()
    process.wait()

    assert is_abandoned(spool, path)
    assert spool.abandoned_runs() == ["r"]
    assert [state.is_alive for state in spool.survey("r")] == [False]


def test_a_forked_child_does_not_keep_its_dead_parent_alive(spool, other):
    process, answer = other("""
        journal = spool.create("r", header())
        child = os.fork()
        if child:
            ready(f"{journal.path} {child}")
        else:
            os.close(1)
        wait()
    """)
    path, child = answer.split()
    assert not is_abandoned(spool, path)
    process.kill()
    process.wait()
    try:
        assert is_abandoned(spool, path)
    finally:
        os.kill(int(child), signal.SIGKILL)


@pytest.mark.parametrize("code", ["os.close(journal.descriptor)", "pass", "journal.close()"])
def test_a_forked_child_that_dies_or_closes_what_it_inherited_does_not_bury_its_living_parent(spool, other, code):
    _, path = other(f"""
        journal = spool.create("r", header())
        child = os.fork()
        if not child:
            {code}
            os._exit(0)
        os.waitpid(child, 0)
        ready(journal.path)
        wait()
    """)
    assert not is_abandoned(spool, path)


def test_a_process_that_looks_at_the_journals_of_all_keeps_its_own(spool, other):
    _, path = other("""
        journal = spool.create("r", header())
        spool.survey("r"), spool.abandoned_runs(), spool.runs()
        with spool.open(journal.path) as file:
            file.lines(0, 100), file.cursor
        ready(journal.path)
        wait()
    """)
    assert not is_abandoned(spool, path)


def test_looking_at_the_journal_of_the_dead_makes_nobody_think_that_it_lives(spool, other):
    process, path = other("""
        journal = spool.create("r", header())
        ready(journal.path)
    """)
    process.wait()
    other(f"""
        from pathlib import Path
        with spool.open(Path({path!r})) as file:
            ready(file.is_abandoned)
            wait()
    """)

    assert is_abandoned(spool, path)


def test_a_journal_of_another_machine_is_left_alone(spool, other):
    process, path = other("""
        journal = spool.create("r", header())
        ready(journal.path)
    """)
    process.wait()
    rewrite_header(path, boot="another", machine="another")

    with spool.open(Path(path)) as file:
        assert not file.is_local
        assert not file.is_abandoned
    assert spool.abandoned_runs() == []
    assert [(state.is_alive, state.is_pending) for state in spool.survey("r")] == [(False, False)]


def test_what_was_written_before_this_machine_was_started_anew_is_abandoned(spool, other):
    process, path = other("""
        journal = spool.create("r", header())
        ready(journal.path)
    """)
    process.wait()
    rewrite_header(path, boot="before")
    assert not is_abandoned(spool, path), "written after the start of this machine: another container, or kernel"

    os.utime(path, (places.boot_time() - 10,) * 2)
    assert is_abandoned(spool, path)


def test_whoever_holds_the_lock_lives_also_on_a_machine_of_the_same_name(spool, other):
    process, path = other("""
        journal = spool.create("r", header())
        ready(journal.path)
        wait()
    """)
    rewrite_header(path, boot="another")
    os.utime(path, (places.boot_time() - 10,) * 2)
    assert not is_abandoned(spool, path)

    process.kill()
    process.wait()
    assert is_abandoned(spool, path)


@pytest.mark.parametrize("boot", [None, "before the restart of the machine"])
def test_anything_behind_the_cursor_of_the_dead_may_have_been_sent(spool, other, boot):
    """A full disk does not take how far it is delivered, and a power cut takes it back."""
    process, path = other("""
        journal = spool.create("r", header())
        for number in range(5):
            journal.write(str(number))
        ready(journal.path)
        wait()
    """)
    with spool.open(Path(path)) as file:
        at = file.lines(file.start, 1)[0].end
        file.set_cursor(Cursor(at, at, 1))
        assert file.cursor == Cursor(at, at, 1)
    process.kill()
    process.wait()
    if boot is not None:
        rewrite_header(path, boot=boot.ljust(len(places.boot_id()))[: len(places.boot_id())])
        os.utime(path, (places.boot_time() - 10,) * 2)

    with spool.open(Path(path)) as file:
        assert file.cursor == Cursor(at, file.size, 1)


def rewrite_header(path, **facts):
    """Change what a journal says of its process."""
    first, _, rest = Path(path).read_bytes().partition(b"\n")
    changed = {**json.loads(first[9:]), **facts}
    Path(path).write_bytes(encode_line(json.dumps(changed)) + rest)


def test_a_journal_cannot_be_found_before_it_is_locked(spool, mocker):
    seen = []
    real = places.try_lock
    mocker.patch.object(places, "try_lock", lambda descriptor: seen.append(spool.journals("r")) or real(descriptor))
    spool.create("r", header())

    assert seen == [[]]


def test_a_journal_is_this_process_s_own_from_the_moment_when_it_can_be_found(spool, mocker):
    real = Path.rename
    seen = []

    def rename(path, target):
        made = real(path, target)
        # As another thread may look, before whoever makes the journal goes on.
        for found in [path for run in spool.runs() for path in spool.journals(run)]:
            with spool.open(found) as file:
                seen.append((found.parent.name, file.own is not None, file.is_abandoned))
        seen.append(spool.abandoned_runs())
        return made

    mocker.patch.object(Path, "rename", rename)
    made = spool.create("nonce", header())
    spool.name_run(made, "id")

    assert seen == [("nonce", True, False), [], ("id", True, False), []]


def test_a_process_never_takes_its_own_journals_for_those_of_the_dead(spool):
    stop = threading.Event()
    wrong = []

    def look():
        while not stop.is_set():
            for path in spool.journals("r"):
                with contextlib.suppress(FileNotFoundError), spool.open(path) as file:
                    if file.is_abandoned:
                        wrong.append(path)

    thread = threading.Thread(target=look)
    thread.start()
    made = [spool.create("r", header()) for _ in range(200)]
    stop.set()
    thread.join()

    assert len(made) == 200
    assert wrong == []


# The spool


def test_stores_have_spools_of_their_own():
    assert Spool("sqlite:///a.db").folder != Spool("sqlite:///b.db").folder
    assert Spool("sqlite:///a.db").folder == Spool("sqlite:///a.db").folder


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("http://a:5000", "http://a:5000/", True),
        ("http://me:one@a", "http://you:other@a", True),
        ("http://a/one", "http://a/other", False),
        ("postgresql://me:one@h/db?options=-csearch_path=a", "postgresql://me:two@h/db?options=-csearch_path=a", True),
        ("postgresql://h/db?options=-csearch_path=a", "postgresql://h/db?options=-csearch_path=b", False),
        ("mysql://h/db?user=a&password=b", "mysql://h/db?user=c&password=d", True),
        (
            "mssql+pyodbc:///?odbc_connect=SERVER%3Dh%3BDATABASE%3Done%3BUID%3Da%3BPWD%3Db",
            "mssql+pyodbc:///?odbc_connect=SERVER%3Dh%3BDATABASE%3Done%3BUID%3Da%3BPWD%3Dc",
            True,
        ),
        (
            "mssql+pyodbc:///?odbc_connect=SERVER%3Dh%3BDATABASE%3Done%3BPWD%3Db",
            "mssql+pyodbc:///?odbc_connect=SERVER%3Dh%3BDATABASE%3Dtwo%3BPWD%3Db",
            False,
        ),
        ("sqlite:///a.db?mode=ro", "sqlite:///a.db", False),
    ],
)
def test_a_store_is_the_same_whoever_uses_it_and_another_is_not(one, other, is_same):
    assert (Spool(one).folder == Spool(other).folder) is is_same


def test_runs_come_in_the_order_of_their_oldest_journals(spool):
    for run in ("b", "a", "c", "b"):
        spool.create(run, header())

    assert spool.runs() == ["b", "a", "c"]
    assert len(spool.journals("b")) == 2
    assert spool.journals("none") == []


def test_a_journal_that_is_discarded_leaves_nothing(spool, journal):
    journal.write("1")
    with spool.open(journal.path) as file:
        file.set_cursor(Cursor(5, 5))
        file.files.mkdir()
        (file.files / "x").touch()
    spool.discard(journal)

    assert not (spool.folder / "r").exists()
    assert not spool.is_in_use


@pytest.mark.parametrize("give_up", [Spool.discard, Spool.release])
def test_what_a_thread_is_reading_stays_open_until_it_is_done(spool, journal, give_up):
    journal.write("1")
    descriptor = journal.descriptor
    with spool.open(journal.path) as one, spool.open(journal.path) as other:
        give_up(spool, journal)
        assert lines_of(one) == lines_of(other) == [1]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    assert not spool.is_in_use


def test_a_journal_that_was_given_up_while_it_was_looked_for_is_not_found(spool, journal):
    spool.discard(journal)
    with pytest.raises(FileNotFoundError):
        JournalFile(journal.path, journal)
    with pytest.raises(FileNotFoundError):
        spool.open(journal.path)


def test_threads_that_read_a_journal_while_it_is_given_up_read_it_or_do_not_find_it(spool):
    stop = threading.Event()
    errors = []
    current = []

    def read():
        while not stop.is_set():
            for made in current[-1:]:
                try:
                    with spool.open(made.path) as file:
                        assert file.lines(0, 10)
                        assert file.cursor.at == file.start
                except FileNotFoundError:
                    pass
                except (OSError, AssertionError) as error:
                    errors.append(error)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(150):
        current.append(spool.create("r", header()))
        time.sleep(0.001)
        spool.discard(current[-1])
    stop.set()
    for thread in threads:
        thread.join()

    assert errors == []


def test_what_was_rejected_outlives_the_journal(spool, journal):
    with spool.open(journal.path) as file:
        file.reject("one")
        file.reject("twö")
        assert file.rejected() == ["one", "twö"]
    spool.discard(journal)

    (kept,) = (file for file in (spool.folder / "r").iterdir() if file.suffix == ".rejected")
    assert kept.read_text() == "one\ntwö\n"


def test_a_journal_is_found_under_the_name_that_the_run_gets_later(spool):
    made = spool.create("nonce", header())
    spool.name_run(made, "id")
    made.write("1")

    assert spool.runs() == ["id"]
    with spool.open(made.path) as file:
        assert file.own is made
        assert lines_of(file) == [1]
    spool.discard(made)
    assert spool.runs() == []


def test_a_journal_can_be_made_while_the_folder_of_its_run_is_tidied_away(spool, mocker):
    real = places.open_private
    folders = [spool.folder / "r"]

    def open_private(path, flags):
        if path.suffix == ".new" and folders:
            folders.pop().rmdir()
        return real(path, flags)

    mocker.patch.object(places, "open_private", open_private)
    made = spool.create("r", header())

    assert spool.journals("r") == [made.path]


def test_a_folder_that_goes_while_pathlib_makes_it_is_made_again(spool, mocker):
    real = Path.mkdir
    errors = [FileExistsError(errno.EEXIST, "File exists")]

    def mkdir(path, *arguments, **more):
        if path.name == "r" and errors:
            raise errors.pop()
        real(path, *arguments, **more)

    mocker.patch.object(Path, "mkdir", mkdir)
    made = spool.create("r", header())

    assert spool.journals("r") == [made.path]


def test_a_file_in_place_of_a_folder_is_an_error(tmp_path):
    (tmp_path / "taken").write_text("")

    with pytest.raises(FileExistsError):
        places.private_folder(tmp_path / "taken")


def test_folders_may_go_while_what_was_left_is_looked_for(spool, mocker):
    places.private_folder(spool.folder / "gone")
    real = Spool.journals

    def journals(looked, run):
        found = real(looked, run)
        if run == "gone":
            (spool.folder / run).rmdir()
        return found

    mocker.patch.object(Spool, "journals", journals)

    assert spool.abandoned_runs() == []


@pytest.mark.parametrize("suffix", [".new", ".cursor"])
def test_what_is_left_of_a_journal_that_was_never_finished_is_cleared_away_later(spool, suffix):
    folder = places.private_folder(spool.folder / "r")
    left = folder / f"x{suffix}"
    left.touch()
    spool.abandoned_runs()
    assert left.exists()

    os.utime(left, (1, 1))
    os.utime(folder, (1, 1))
    spool.abandoned_runs()
    assert not folder.exists()


def test_one_thread_or_process_at_a_time_drains_a_run(spool, journal, other):
    with spool.locked("r", 0) as mine:
        assert mine
        with spool.locked("r", time.monotonic() + 1) as again:
            assert not again, "a signal handler in the same thread must not wait for itself"
        _, answer = other("""
            with spool.locked("r", time.monotonic() + 0.1) as has_lock:
                ready(has_lock)
        """)
        assert answer == "False"
        with spool.locked("another", 0) as there:
            assert not there, "a run without a folder has nothing to be drained"
    _, answer = other("""
        with spool.locked("r", time.monotonic() + 5) as has_lock:
            ready(has_lock)
            wait()
    """)
    assert answer == "True"
    with spool.locked("r", time.monotonic() + 0.1) as mine:
        assert not mine


def test_the_lock_of_a_run_survives_that_its_folder_is_removed_and_made_anew(spool, journal, other):
    """A lock of a file that is no longer there would let two in."""
    other("""
        with spool.locked("r", time.monotonic() + 5) as has_lock:
            ready(has_lock)
            (spool.folder / "r" / "lock").unlink()
            time.sleep(0.5)
    """)
    with spool.locked("r", time.monotonic() + 5) as mine:
        assert mine
        assert (spool.folder / "r" / "lock").exists()


@pytest.fixture
def disk(mocker):
    return Disk(mocker)


@FULL_OR_READ_ONLY
@pytest.mark.parametrize("is_new", [True, False])
def test_a_run_can_be_drained_where_the_disk_takes_nothing(spool, journal, disk, error, is_new):
    if not is_new:
        with spool.locked("r", 0):
            pass
    disk.error = error
    with spool.locked("r", 0) as mine:
        assert mine


def test_on_a_disk_that_became_read_only_whoever_drained_before_still_keeps_others_out(spool, journal, disk, other):
    process, answer = other("""
        with spool.locked("r", time.monotonic() + 5) as has_lock:
            ready(has_lock)
            wait()
    """)
    assert answer == "True"
    disk.error = errno.EROFS
    with spool.locked("r", time.monotonic() + 0.1) as mine:
        assert not mine
    process.kill()
    process.wait()
    with spool.locked("r", time.monotonic() + 5) as mine:
        assert mine


@FULL_OR_READ_ONLY
def test_how_far_its_own_journal_is_delivered_a_process_knows_though_the_disk_takes_nothing(
    spool, journal, disk, error, mocker
):
    journal.write("1")
    disk.error = error
    with spool.open(journal.path) as file:
        file.set_cursor(Cursor(file.size, file.size, 3))
    with spool.open(journal.path) as file:
        assert file.cursor == Cursor(file.size, file.size, 3)
    disk.error = 0
    with spool.open(journal.path) as file:
        file.set_cursor(file.cursor)
    with Spool("sqlite:///x.db").open(journal.path) as file:
        assert file.cursor == Cursor(file.size, file.size, 3)


@FULL_OR_READ_ONLY
def test_of_another_process_s_journal_nothing_is_delivered_that_cannot_be_noted(spool, other, disk, error):
    process, path = other("""
        journal = spool.create("r", header())
        journal.write("1")
        ready(journal.path)
    """)
    process.wait()
    disk.error = error
    with spool.open(Path(path)) as file:
        assert file.is_abandoned
        assert lines_of(file) == [1]
        with pytest.raises(OSError, match=os.strerror(error)):
            file.set_cursor(file.cursor)


@FULL_OR_READ_ONLY
def test_where_the_disk_takes_nothing_there_are_no_lanes(spool, disk, error):
    disk.error = error

    assert spool.lane("r", 7) is None


def test_a_lane_can_be_had_while_the_folder_of_its_run_is_tidied_away(spool, other, mocker):
    places.private_folder(spool.folder / "r")
    real_open, real_lock = places.open_private, places.try_lock_byte
    before_opening, before_locking = [1], [1]

    def open_private(path, flags):
        if path.name == "lanes" and before_opening:
            before_opening.clear()
            path.parent.rmdir()
        return real_open(path, flags)

    def try_lock_byte(descriptor, number):
        if before_locking:
            before_locking.clear()
            (spool.folder / "r" / "lanes").unlink()
        return real_lock(descriptor, number)

    mocker.patch.object(places, "open_private", open_private)
    mocker.patch.object(places, "try_lock_byte", try_lock_byte)
    assert spool.lane("r", 7) == 7
    assert before_opening == before_locking == []
    _, answer = other(LANE.format(preferred=7))

    assert answer == "8", "a lock of a file that is no longer there would let two have one lane"


def test_whoever_holds_a_lane_keeps_the_folder_and_who_tidies_it_keeps_others_from_taking_one(spool, other):
    _, lane = other(LANE.format(preferred=7))
    spool.tidy("r")
    assert (spool.folder / "r" / "lanes").exists()
    assert lane == "7"

    lanes = [int(other(LANE.format(preferred=7))[1]) for _ in range(2)]
    assert lanes == [8, 9]


LANE = """
    ready(spool.lane("r", {preferred}))
    wait()
"""


def test_processes_of_one_run_have_lanes_of_their_own(spool, other):
    lanes = [int(other(LANE.format(preferred=62))[1]) for _ in range(4)]
    lanes.append(spool.lane("r", 62))

    assert lanes == [62, 63, 0, 1, 2]
    assert spool.lane("another", 62) == 62


def test_the_lane_of_a_process_that_died_is_free_again(spool, other):
    process, lane = other(LANE.format(preferred=7))
    assert spool.lane("r", 7) == 8
    process.kill()
    process.wait()

    assert Spool("sqlite:///x.db").lane("r", 7) == 7
    assert lane == "7"


def test_there_are_64_lanes(spool, other):
    _, answer = other("""
        from azml_compat._journal import places
        spool.lane("r", 0)
        descriptor = spool._lanes["r"]
        ready(all(places.try_lock_byte(descriptor, number) for number in range(64)))
        wait()
    """)
    assert answer == "True"
    assert spool.lane("r", 5) is None


def test_a_lane_stays_taken_when_the_folder_of_the_run_is_tidied(spool, other):
    _, lane = other(LANE.format(preferred=3))
    spool.tidy("r")

    assert spool.lane("r", 3) != int(lane)


def test_a_lane_of_this_process_stays_taken_when_it_tidies_itself(spool, other):
    _, lane = other("""
        lane = spool.lane("r", 3)
        spool.tidy("r")
        ready(lane)
        wait()
    """)
    assert spool.lane("r", 3) != int(lane)


def test_a_run_whose_processes_have_left_leaves_no_folder(spool):
    made = spool.create("r", header())
    spool.lane("r", 3)
    spool.discard(made)

    assert not (spool.folder / "r").exists()


@pytest.mark.parametrize(("first", "is_owner"), [({"op": "created", "run": "r"}, True), ([[], []], False)])
def test_of_a_journal_whose_header_is_damaged_the_run_is_known_by_its_folder(spool, journal, first, is_owner):
    journal.write(json.dumps(first))
    content = bytearray(journal.path.read_bytes())
    content[20] ^= 1
    journal.path.write_bytes(content)
    spool.release(journal)

    with JournalFile(journal.path, None) as file:
        assert file.header is not None
        assert (file.header.run, file.header.is_owner) == ("r", is_owner)
        assert file.is_abandoned
        assert lines_of(file) == [first]


@pytest.mark.parametrize("content", [b"", b"0" * 5000])
def test_a_journal_without_a_line_has_no_header(spool, journal, content):
    journal.path.write_bytes(content)
    spool.release(journal)

    with JournalFile(journal.path, None) as file:
        assert file.header is None
        assert file.is_abandoned


def test_the_many_runs_of_a_process_need_not_be_looked_into_to_tell_them_apart(spool, mocker):
    for number in range(5):
        spool.name_run(spool.create(f"stand-in {number}", header(run=f"stand-in {number}")), f"run {number}")
    looks = mocker.spy(spool, "_settled")

    assert spool.names_of("run 3") == ["run 3"]
    assert spool.has_journals("run 3")
    assert not [call for call in looks.call_args_list if "run" in call.args[0]]
