"""A block of Lockgate's in a file of the team's: what is around it stays as it is, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.output import compare, diagnose, diff, eject, overwriting, take_back, write
from lockgate.output.block import split, with_block, without_block
from lockgate.targets.file import BLOCK_BEGIN, BLOCK_END

PATH = ".github/CODEOWNERS"
OTHER = "pipelines/iris/dvc.yaml"


def block(lines: str) -> str:
    return f"{BLOCK_BEGIN}\n{lines}{BLOCK_END}\n"


OLD = block("/manifests/production/ @acme/ml\n")
NEW = block("/manifests/production/ @acme/platform\n")
TEAMS = b"*  @acme/everyone\r\n# \xff\x00 no UTF-8\n"


def put(root: Path, data: bytes) -> Path:
    file = root / PATH
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(data)
    return file


def render(root: Path, rendered: dict[str, str]) -> None:
    write(root, compare(root, rendered))


def said(root: Path, rendered: dict[str, str]) -> list[tuple[str, str]]:
    return [(it.rule, it.message) for it in diagnose(compare(root, rendered))]


texts = st.lists(
    st.sampled_from(
        [b"* @a\n", b"\n", b"x", b"\r\n", b"\xff", BLOCK_END.encode()[:-1], f" {BLOCK_BEGIN}\n".encode()]
    )
).map(b"".join)


@given(before=texts, after=texts)
def test_any_text_around_a_block_survives_its_change_and_its_removal(before: bytes, after: bytes) -> None:
    whole_line = before if not before or before.endswith(b"\n") else before + b"\n"
    file = whole_line + OLD.encode() + after
    assert with_block(file, NEW.encode()) == whole_line + NEW.encode() + after
    assert without_block(file) == whole_line + after


@given(text=texts)
def test_any_text_survives_that_a_block_comes_and_goes(text: bytes) -> None:
    with_it = with_block(text, OLD.encode())
    assert with_it.startswith(text)
    parts = split(with_it)
    assert parts is not None
    assert parts.block == OLD.encode()
    assert without_block(with_it) in {text, text + b"\n"}


def test_a_missing_file_is_made_and_goes_with_its_block(tmp_path: Path) -> None:
    assert said(tmp_path, {PATH: OLD}) == [("file-missing", "the generated block in the file is missing")]
    render(tmp_path, {PATH: OLD})
    assert (tmp_path / PATH).read_text() == OLD
    assert said(tmp_path, {PATH: OLD}) == []
    render(tmp_path, {})
    assert not (tmp_path / ".github").exists()


def test_a_teams_file_gains_the_block_at_its_end_where_it_counts(tmp_path: Path) -> None:
    file = put(tmp_path, TEAMS)
    render(tmp_path, {PATH: OLD})
    assert file.read_bytes() == TEAMS + OLD.encode()
    file.write_bytes(b"# first\n" + file.read_bytes() + b"/docs/ @ada")
    assert said(tmp_path, {PATH: OLD}) == []
    render(tmp_path, {PATH: NEW})
    assert file.read_bytes() == b"# first\n" + TEAMS + NEW.encode() + b"/docs/ @ada"
    assert said(tmp_path, {}) == [("file-orphan", "the spec no longer makes the block in this file")]
    render(tmp_path, {})
    assert file.read_bytes() == b"# first\n" + TEAMS + b"/docs/ @ada"


@pytest.mark.parametrize("rendered", [{PATH: OLD}, {PATH: NEW}], ids=["same spec", "another spec"])
def test_an_edit_in_the_block_is_told_apart_and_kept_until_it_is_forced(
    tmp_path: Path, rendered: dict[str, str]
) -> None:
    put(tmp_path, TEAMS)
    render(tmp_path, {PATH: OLD})
    edited = (tmp_path / PATH).read_bytes().replace(b"@acme/ml", b"@mallory")
    put(tmp_path, edited)
    assert said(tmp_path, rendered) == [("file-edited", "the generated block in the file was edited by hand")]
    write(tmp_path, overwriting(compare(tmp_path, rendered), [PATH]))
    assert (tmp_path / PATH).read_bytes() == TEAMS + rendered[PATH].encode()


def test_an_edited_block_that_is_no_longer_made_stays(tmp_path: Path) -> None:
    render(tmp_path, {PATH: OLD})
    put(tmp_path, OLD.replace("@acme/ml", "@mallory").encode())
    assert [rule for rule, _ in said(tmp_path, {})] == ["file-orphan"]
    assert [it.path for it in compare(tmp_path, {}).refused] == [PATH]


def test_line_ends_that_git_turned_count_as_an_edit_of_the_block(tmp_path: Path) -> None:
    render(tmp_path, {PATH: OLD})
    put(tmp_path, OLD.replace("\n", "\r\n").encode())
    assert [rule for rule, _ in said(tmp_path, {PATH: OLD})] == ["file-edited"]


def test_a_block_that_somebody_took_out_is_missing(tmp_path: Path) -> None:
    put(tmp_path, TEAMS)
    render(tmp_path, {PATH: OLD})
    put(tmp_path, TEAMS)
    assert [rule for rule, _ in said(tmp_path, {PATH: OLD})] == ["file-missing"]


@pytest.mark.parametrize(
    "data",
    [BLOCK_BEGIN, f"{OLD}{OLD}", f"{BLOCK_END}\n{BLOCK_BEGIN}\n", f"{BLOCK_BEGIN}\n{OLD}"],
    ids=["no end", "two blocks", "end first", "two begins"],
)
@pytest.mark.parametrize("rendered", [{PATH: NEW}, {}], ids=["made", "no longer made"])
def test_marker_lines_that_do_not_pair_stop_everything(
    tmp_path: Path, data: str, rendered: dict[str, str]
) -> None:
    render(tmp_path, {PATH: OLD})
    put(tmp_path, data.encode())
    comparison = compare(tmp_path, rendered)
    assert (comparison.refused[0].path, comparison.refused[0].sha256) == (PATH, None)
    assert "the two marker lines of Lockgate's block" in diagnose(comparison)[0].message
    assert list(diff(tmp_path, comparison)) == []


@pytest.mark.parametrize("other", ["CODEOWNERS", "docs/CODEOWNERS"])
def test_a_file_elsewhere_that_github_would_no_longer_read_is_in_the_way(tmp_path: Path, other: str) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / other).write_text("* @acme/everyone\n")
    reason = f"GitHub would no longer read '{other}': move that to '{PATH}'"
    assert said(tmp_path, {PATH: OLD}) == [
        ("file-foreign", f"the generated block cannot stand in the file: {reason}")
    ]
    put(tmp_path, b"")
    assert [rule for rule, _ in said(tmp_path, {PATH: OLD})] == ["file-missing"]


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / ".github").mkdir()
    (tmp_path / PATH).symlink_to("/etc/hosts")
    assert [rule for rule, _ in said(tmp_path, {PATH: OLD})] == ["file-foreign"]


def test_the_difference_shows_the_teams_lines_as_they_are(tmp_path: Path) -> None:
    put(tmp_path, b"* @acme/everyone\n")
    assert list(diff(tmp_path, compare(tmp_path, {PATH: OLD}))) == [
        f"--- a/{PATH}",
        f"+++ b/{PATH}",
        "@@ -1 +1,4 @@",
        " * @acme/everyone",
        *(f"+{line}" for line in OLD.splitlines()),
    ]
    render(tmp_path, {PATH: OLD})
    assert list(diff(tmp_path, compare(tmp_path, {})))[-3:] == [f"-{line}" for line in OLD.splitlines()]


def test_an_ejected_block_is_the_teams(tmp_path: Path) -> None:
    render(tmp_path, {PATH: OLD, OTHER: "a: b\n"})
    eject(tmp_path, compare(tmp_path, {PATH: OLD, OTHER: "a: b\n"}), PATH)
    put(tmp_path, b"* @ada\n")
    assert said(tmp_path, {PATH: OLD, OTHER: "a: b\n"}) == []
    assert [rule for rule, _ in said(tmp_path, {PATH: NEW, OTHER: "a: b\n"})] == ["file-ejected"]
    take_back(tmp_path, compare(tmp_path, {PATH: OLD, OTHER: "a: b\n"}), PATH)
    assert [rule for rule, _ in said(tmp_path, {PATH: OLD, OTHER: "a: b\n"})] == ["file-missing"]
