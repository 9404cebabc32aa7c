"""The local source against real repositories, made here with fixed dates and names."""

import os
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from models.values import Person
from sources import git_cli
from sources.base import SourceError
from sources.git import LocalGit, resolve
from tests.sources.git_repo import END, START, Repo, titles

GITHUB = ("GitHub", "noreply@github.com")


@pytest.fixture
def repo(tmp_path: Path, clock) -> Repo:
    return Repo(tmp_path / "awesome-lib")


def test_takes_the_window_newest_first(repo: Repo) -> None:
    repo.commit("Before", -1)
    repo.commit("At its start", 0)
    repo.commit("Add TypeScript support", 5, {"src/index.ts": "1\n2\n", "tsconfig.json": "{}\n"})
    last = repo.commit("By a clock that runs ahead", 25)

    found = repo.scan()

    assert titles(found) == ["By a clock that runs ahead", "Add TypeScript support"]
    assert found.summary == "2 commits"
    assert found.cuts == ()
    assert (found.repository, found.url) == ("awesome-lib", None)
    assert (found.window.since, found.window.until) == (START, END)
    assert found.window.head == last
    typescript = found.commits[1]
    assert [(f.path, f.status, f.additions, f.deletions) for f in typescript.files] == [
        ("src/index.ts", "added", 2, 0),
        ("tsconfig.json", "added", 1, 0),
    ]
    assert typescript.author == Person("John Doe")
    assert typescript.date == START + timedelta(hours=5)


def test_an_empty_repository_has_no_activity(repo: Repo) -> None:
    found = repo.scan()
    assert not found.has_activity
    assert found.window.head is None


def test_a_merge_gives_its_pull_request(repo: Repo) -> None:
    repo.commit("Start", -5)
    repo.git("checkout", "-q", "-b", "ci")
    repo.commit("Add workflow", 1, by=("Jane Smith", "7+jane@users.noreply.github.com"))
    repo.git("checkout", "-q", "main")
    message = "Merge pull request #42 from jane/ci\n\nAdd CI/CD pipeline\n\nRuns on every push."
    repo.git("merge", "-q", "--no-ff", "-m", message, "ci", at=2)

    found = repo.scan()

    assert found.summary == "2 commits, 1 merged PR"
    [pull] = found.pulls
    assert (pull.number, pull.title, pull.body) == (42, "Add CI/CD pipeline", "Runs on every push.")
    assert pull.merge_sha == found.commits[0].sha
    assert pull.merged_at == START + timedelta(hours=2)
    assert pull.author == Person("Jane Smith", "jane")
    assert [file.path for file in found.commits[0].files] == ["file-1"]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Add retries (#7)\n\nCo-authored-by: Jo <jo@example.org>", (7, "Add retries", "")),
        ('Revert "Add retries (#7)" (#9)', (9, 'Revert "Add retries (#7)"', "")),
        ("Support (#3) in titles", None),
        ("Number too long (#12345678901)", None),
    ],
)
def test_a_squash_gives_its_pull_request(repo: Repo, message: str, expected: tuple | None) -> None:
    repo.commit(message, 1, committer=GITHUB)
    pulls = [(p.number, p.title, p.body) for p in repo.scan().pulls]
    assert pulls == ([expected] if expected else [])


def test_a_number_on_an_ordinary_commit_may_be_an_issue(repo: Repo) -> None:
    repo.commit("Fix the parser (#7)", 1)
    assert repo.scan().pulls == ()


def test_a_merge_without_a_title_is_named_by_its_branch(repo: Repo) -> None:
    repo.commit("Start", -5)
    repo.git("checkout", "-q", "-b", "ci")
    repo.commit("Add workflow", 1)
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge pull request #4 from jane/feat/faster-builds", "ci", at=2)
    assert [pull.title for pull in repo.scan().pulls] == ["faster builds"]


def test_tags_give_releases(repo: Repo) -> None:
    repo.commit("Old", -5)
    repo.git("tag", "v0.9", at=-5)
    repo.git("tag", "-a", "v1.0.0", "-m", "Version 1\n\n- TypeScript", at=3)
    repo.commit("New", 4)
    repo.git("tag", "v1.1.0-rc1")
    repo.git("tag", "tree", "HEAD^{tree}")

    found = [(r.tag, r.name, r.body, r.is_prerelease, r.published_at) for r in repo.scan().releases]

    assert found == [
        ("v1.1.0-rc1", "v1.1.0-rc1", "", True, START + timedelta(hours=4)),
        ("v1.0.0", "v1.0.0", "Version 1\n\n- TypeScript", False, START + timedelta(hours=3)),
    ]


def test_people_and_bots(repo: Repo) -> None:
    trailers = (
        "Co-authored-by: Jo <12+jo@users.noreply.github.com>\nco-authored-by: John Doe <john@example.org>"
    )
    repo.commit(f"Pair up\n\n{trailers}\nCo-Authored-By: dependabot[bot] <x@y.z>", 1)
    repo.commit("Bump", 2, by=("dependabot[bot]", "49+dependabot[bot]@users.noreply.github.com"))

    bump, pair = repo.scan().commits

    assert bump.author == Person("dependabot[bot]", "dependabot[bot]", is_bot=True)
    assert pair.co_authors == (Person("Jo", "jo"), Person("dependabot[bot]", is_bot=True))


def test_messages_and_paths_survive_that_are_not_utf_8(repo: Repo) -> None:
    repo.git("config", "i18n.commitEncoding", "ISO-8859-1")
    repo.commit("Gr\xfc\xdfe, declared".encode("latin-1"), 1)
    repo.git("config", "--unset", "i18n.commitEncoding")
    repo.commit("Gr\xfc\xdfe, undeclared".encode("latin-1"), 2, {"Größe \n\t.txt": "x"})
    found = repo.scan()
    assert titles(found) == ["Grüße, undeclared", "Grüße, declared"]
    assert found.commits[0].files[0].path == "Größe \n\t.txt"


def test_messages_cannot_forge_other_commits(repo: Repo) -> None:
    forged = f"Innocent\n\n\n:100644 100644 {'0' * 40} {'1' * 40} M\n9\t9\tevil\n{'a' * 40}\x1e\x1f"
    repo.commit(forged, 1)
    found = repo.scan()
    assert titles(found) == ["Innocent"]
    assert [file.path for file in found.commits[0].files] == ["file-1"]


def test_renames_binaries_and_many_files(repo: Repo) -> None:
    repo.commit("Start", -5, {"old.txt": "same\n" * 20, "logo.png": b"\0\1"})
    (repo.path / "old.txt").rename(repo.path / "new.txt")
    (repo.path / "logo.png").unlink()
    many = {f"gen/{n:03}": str(n) for n in range(120)}
    repo.commit("Move", 1, {"art.png": b"\0\1\2\3"} | many)

    [commit] = repo.scan().commits

    assert len(commit.files) == 100
    assert commit.more_files == 23
    assert commit.files[0].path == "art.png"
    assert commit.files[0].additions is None
    repo.git("mv", "new.txt", "newer.txt")
    repo.commit("Rename", 2, {"x": "y"})
    renamed = repo.scan().commits[0].files[0]
    assert (renamed.path, renamed.status, renamed.additions) == ("newer.txt", "renamed", 0)


def test_commits_without_message_or_change(repo: Repo) -> None:
    repo.git("commit", "-q", "--allow-empty", "--allow-empty-message", "-m", "", at=1)
    repo.git("commit", "-q", "--allow-empty", "-m", "Nothing", at=2)
    assert [(c.title, c.files) for c in repo.scan().commits] == [("Nothing", ()), ("", ())]


def test_bare_and_shallow_clones(repo: Repo, tmp_path: Path, clock) -> None:
    repo.commit("Start", -5, {"a": "1", "b": "2"})
    repo.commit("One", 1)
    repo.commit("Two", 2)
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "mirror.git"))
    repo.git("clone", "-q", "--depth", "2", f"file://{repo.path}", str(tmp_path / "cut"))

    bare = LocalGit("mirror.git", root=tmp_path).scan(START)
    shallow = LocalGit("cut", root=tmp_path).scan(START)

    assert (bare.repository, titles(bare)) == ("mirror", ["Two", "One"])
    assert titles(shallow) == ["Two", "One"]
    assert [len(commit.files) for commit in shallow.commits] == [1, 0]


def test_a_bare_repository_whose_head_was_never_pushed(repo: Repo, tmp_path: Path) -> None:
    repo.commit("One", 1)
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "mirror.git"))
    repo.git(f"--git-dir={tmp_path / 'mirror.git'}", "symbolic-ref", "HEAD", "refs/heads/master")
    assert titles(LocalGit("mirror.git", root=tmp_path).scan(START)) == ["One"]


def test_a_linked_work_tree(repo: Repo, tmp_path: Path) -> None:
    repo.commit("One", 1)
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    assert titles(LocalGit("side", root=tmp_path).scan(START)) == ["One"]


def test_branches(repo: Repo) -> None:
    repo.commit("Start", -5)
    repo.git("branch", "side/1")
    repo.commit("Main only", 1)
    assert titles(repo.scan(branch="side/1")) == []
    for wrong in ("gone", "main~1", "--all", "main@{0}", ""):
        with pytest.raises(SourceError, match="has no branch") as error:
            repo.scan(branch=wrong)
        assert error.value.permanent


@pytest.mark.parametrize(
    ("remote", "name", "url"),
    [
        ("https://user:s3cret@github.com/owner/name.git", "owner/name", "https://github.com/owner/name"),
        ("git@github.com:owner/name.git", "owner/name", "https://github.com/owner/name"),
        ("ssh://git@github.com:22/owner/name", "owner/name", "https://github.com/owner/name"),
        ("https://gitlab.com/a/b/c.git/", "a/b/c", "https://gitlab.com/a/b/c"),
        ("/srv/git/name.git", "awesome-lib", None),
        ("file:///srv/git/name.git", "awesome-lib", None),
        ("https://evil.example/<script>/x", "awesome-lib", None),
        ("https://[", "awesome-lib", None),
    ],
)
def test_the_home_page_comes_from_the_remote(repo: Repo, remote: str, name: str, url: str | None) -> None:
    repo.git("remote", "add", "origin", remote)
    found = repo.scan()
    assert (found.repository, found.url) == (name, url)


def test_links_of_a_github_repository(repo: Repo) -> None:
    repo.git("remote", "add", "origin", "git@github.com:owner/name.git")
    sha = repo.commit("Add x (#7)", 1, by=("Jo", "jo@users.noreply.github.com"), committer=GITHUB)
    repo.git("tag", "v1/rc")
    found = repo.scan()
    home = "https://github.com/owner/name"
    assert found.commits[0].url == f"{home}/commit/{sha}"
    assert found.commits[0].author.url == "https://github.com/jo"
    assert found.pulls[0].url == f"{home}/pull/7"
    assert found.releases[0].url == f"{home}/releases/tag/v1%2Frc"


def refused(path: str, root: Path | None) -> str:
    with pytest.raises(SourceError) as error:
        resolve(path, root)
    assert error.value.permanent
    return error.value.message


def test_paths_are_refused_with_one_sentence(repo: Repo, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "plain").mkdir(parents=True)
    (root / "escape").symlink_to(repo.path)
    (root / "loop").symlink_to(root / "loop")
    (root / "file").write_text("")
    assert refused("awesome-lib", None).startswith("Local repositories are off")
    assert refused("a/../b", root) == "The path must not contain '..'."
    for outside in (str(repo.path), "/", "escape", "/etc/passwd"):
        assert refused(outside, root) == "The path leads outside GIT_ROOT."
    assert refused("gone", root) == "There is no folder gone under GIT_ROOT."
    assert refused("file", root) == "There is no folder file under GIT_ROOT."
    assert refused("plain", root) == "plain is not a git repository."
    assert refused("loop", root) == "The path cannot be followed to its end."
    for empty in ("", "  ", "a\0b"):
        assert refused(empty, root) == "Give the folder of a git repository."
    assert refused("x" * 5000, root)


def test_good_paths_are_resolved(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(repo.path)
    for path in ("awesome-lib", "awesome-lib/", str(repo.path), "alias", "./awesome-lib"):
        assert resolve(path, tmp_path) == repo.path.resolve()
    assert resolve(".", repo.path) == repo.path.resolve()


@pytest.mark.parametrize(
    "kind", ["link", "file", "common", "objects", "pack", "loose", "refs", "HEAD", "packed-refs"]
)
def test_parts_of_a_repository_may_not_lie_outside(repo: Repo, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "root" / "trap"
    outside = repo.path / ".git"
    folder.mkdir(parents=True)
    if kind == "link":
        (folder / ".git").symlink_to(outside)
    elif kind == "file":
        (folder / ".git").write_text(f"gitdir: {outside}\n")
    else:
        Repo(folder)
        if kind == "common":
            (folder / ".git" / "commondir").write_text(str(outside))
        else:
            repo.commit("One", 1)
            inside = {"pack": "objects/pack", "loose": "objects/ab/cd"}.get(kind, kind)
            part = folder / ".git" / inside
            part.parent.mkdir(exist_ok=True)
            subprocess.run(["rm", "-rf", str(part)], check=True)
            part.symlink_to(outside / inside)
    assert refused("trap", tmp_path / "root") == "The path leads outside GIT_ROOT."


def test_objects_are_borrowed_only_from_inside(repo: Repo, tmp_path: Path) -> None:
    """`git clone --shared` leaves a file that names another repository's objects; so do its own sources."""
    sha = repo.commit("One", 1)
    root = tmp_path / "root"
    root.mkdir()
    repo.git("clone", "-q", "--shared", str(repo.path), str(root / "outside"))
    for number, lender in ((1, repo.path), (2, root / "lent1")):
        repo.git("clone", "-q", "--bare", str(lender), str(root / f"lent{number}"))
    repo.git("clone", "-q", "--bare", "--shared", str(root / "lent1"), str(root / "inside"))
    assert titles(LocalGit("inside", root=root).scan(START)) == ["One"]
    sentence = "The repository borrows objects from outside GIT_ROOT."
    assert refused("outside", root) == sentence
    alternates = root / "lent1" / "objects" / "info" / "alternates"
    for lender in (f"{repo.path}/.git/objects", "../../../awesome-lib/.git/objects"):
        alternates.write_text(f"# comment\n\n{lender}\n")
        assert refused("lent1", root) == refused("inside", root) == sentence
    alternates.write_text('"/elsewhere"\n')
    assert "whose name git must quote" in refused("lent1", root)
    alternates.write_text("../../lent1/objects\n")  # itself
    assert refused("lent1", root)
    assert (repo.path / ".git" / "objects" / sha[:2]).exists()


def test_nothing_that_the_repository_names_is_run(repo: Repo, tmp_path: Path) -> None:
    """Each of these settings makes an ordinary `git log` or `git status` run a program."""
    ran = tmp_path / "ran"
    script = tmp_path / "evil.sh"
    script.write_text(f'#!/bin/sh\necho "$0 $*" >> {ran}\nexit 0\n')
    script.chmod(0o755)
    repo.commit("Start", -5, {".gitattributes": "* diff=evil\n", "a": "1"})
    repo.commit("Change", 1, {"a": "2"})
    for name in ("core.fsmonitor", "diff.external", "diff.evil.textconv", "diff.evil.command", "core.pager",
                 "pager.log", "gpg.program", "core.sshCommand", "core.alternateRefsCommand",
                 "core.gitProxy", "core.askPass", "credential.helper", "sequence.editor", "core.editor",
                 "uploadpack.packObjectsHook", "remote.origin.uploadpack", "filter.evil.smudge",
                 "filter.evil.clean", "filter.evil.process", "merge.evil.driver", "gpg.ssh.program",
                 "interactive.diffFilter", "trailer.x.command", "man.viewer", "browser.x.cmd"):  # fmt: skip
        repo.git("config", name, str(script))
    for alias in ("log", "rev-list", "for-each-ref", "merge-base", "cat-file", "config", "show-ref"):
        repo.git("config", f"alias.{alias}", f"!{script} {alias}")
    included = tmp_path / "included"
    included.write_text(f'[core]\n\tfsmonitor = {script}\n[remote "origin"]\n\turl = https://x.org/a/b\n')
    repo.git("config", "include.path", str(included))
    repo.git("config", f"includeIf.gitdir:{repo.path}/.path", str(included))
    for hook in ("post-index-change", "reference-transaction", "fsmonitor-watchman", "post-checkout"):
        file = repo.path / ".git" / "hooks" / hook
        file.parent.mkdir(exist_ok=True)
        file.write_text(script.read_text())
        file.chmod(0o755)
    ran.unlink(missing_ok=True)  # by the commands of this test
    base = repo.git("rev-parse", "HEAD~1")
    ran.unlink(missing_ok=True)
    for name, value in (("log.showSignature", "true"), ("core.hooksPath", str(tmp_path)),
                        ("color.ui", "always"),
                        ("diff.orderFile", "/gone"), ("log.showRoot", "false"), ("diff.relative", "true"),
                        ("core.worktree", "/"), ("log.follow", "true"), ("log.decorate", "full"),
                        ("diff.ignoreSubmodules", "all"), ("diff.submodule", "log"),
                        ("log.mailmap", "false"), ("log.diffMerges", "off"), ("diff.renames", "false"),
                        ("i18n.logOutputEncoding", "UTF-16"), ("core.quotePath", "true"),
                        ("format.pretty", "raw"), ("diff.noprefix", "true")):  # fmt: skip
        subprocess.run(["git", "config", "--file", str(repo.path / ".git/config"), name, value], check=True)

    found = repo.scan(since=START - timedelta(days=1))
    repo.scan(base=base)
    repo.scan(base="f" * 40)
    assert LocalGit(repo.path, root=repo.path.parent).contains("gone", base) is False

    assert not ran.exists()
    assert found.repository == "awesome-lib"
    assert titles(found) == ["Change", "Start"]
    assert [len(commit.files) for commit in found.commits] == [1, 2]


@pytest.mark.parametrize(("filtered", "files"), [("blob:none", [("a", "modified", None)]), ("tree:0", [])])
def test_a_partial_clone_fetches_nothing_and_tells_what_it_has(
    repo: Repo, tmp_path: Path, filtered: str, files: list
) -> None:
    ran = tmp_path / "ran"
    repo.commit("Start", -5, {"a": "1\n"})
    repo.commit("Change", 1, {"a": "2\n"})
    repo.git("config", "uploadpack.allowFilter", "true")
    folder = tmp_path / "partial.git"
    repo.git("clone", "-q", "--bare", f"--filter={filtered}", f"file://{repo.path}", str(folder))
    repo.git(f"--git-dir={folder}", "config", "remote.origin.url", f"ext::sh -c 'touch {ran}'")
    repo.git(f"--git-dir={folder}", "config", "protocol.ext.allow", "always")

    found = LocalGit("partial.git", root=tmp_path).scan(START, base="f" * 40)

    assert not ran.exists()
    assert titles(found) == ["Change"]
    assert [(f.path, f.status, f.additions) for f in found.commits[0].files] == files
    assert "The files of 1 commit could not be read, or not counted." in found.cuts


def test_a_replaced_commit_is_read_as_it_was(repo: Repo) -> None:
    first = repo.commit("True", 1)
    repo.git("checkout", "-q", "--orphan", "other")
    other = repo.commit("False", 2)
    repo.git("checkout", "-q", "main")
    repo.git("replace", first, other)
    assert titles(repo.scan()) == ["True"]


def test_a_broken_repository_is_an_error_that_may_pass(repo: Repo) -> None:
    sha = repo.commit("One", 1)
    (repo.path / ".git" / "objects" / sha[:2] / sha[2:]).unlink()
    with pytest.raises(SourceError, match=r"^Git could not read awesome-lib: ") as error:
        repo.scan()
    assert not error.value.permanent


def test_git_that_hangs_is_ended(repo: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nexec sleep 60\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(git_cli, "TIMEOUT", 0.1)
    with pytest.raises(
        SourceError, match=r"^Git took longer than 0\.1 seconds to read awesome-lib\.$"
    ) as error:
        repo.scan()
    assert not error.value.permanent


def test_without_git_the_sentence_says_so(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repo.path))
    with pytest.raises(SourceError, match=r"^git could not be started") as error:
        repo.scan()
    assert error.value.permanent


def test_too_many_files_to_list_leaves_the_commits(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit("Vendor everything", 1, {f"{'deep/' * 20}{n}": "x" for n in range(40)})
    repo.commit("Add one", 2, {"a": "b"})
    monkeypatch.setattr(git_cli, "OUTPUT_MAX", 2000)
    found = repo.scan()
    assert [(c.title, len(c.files)) for c in found.commits] == [("Add one", 1), ("Vendor everything", 0)]
    assert found.cuts == ("The files of 1 commit could not be read, or not counted.",)


def test_a_message_too_long_to_read_leaves_the_commit(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit("Long\n\n" + "x" * 5000, 1, {"a": "b"})
    repo.commit("Short", 2)
    monkeypatch.setattr(git_cli, "OUTPUT_MAX", 2000)
    found = repo.scan()
    assert [(c.title, c.author.name) for c in found.commits] == [("Short", "John Doe"), ("", "John Doe")]
    assert found.cuts[-1] == "The messages of 1 commit were too long to be read."


def test_nothing_is_written(repo: Repo) -> None:
    repo.commit("Start", -5)
    base = repo.commit("One", 1)
    repo.git("tag", "v1")
    before = {path: path.stat().st_mtime_ns for path in repo.path.rglob("*")}
    repo.scan()
    repo.git("rev-parse", "HEAD")
    repo.scan(base=base)
    assert {path: path.stat().st_mtime_ns for path in repo.path.rglob("*")} == before


@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_both_kinds_of_ids(tmp_path: Path, clock, form: str) -> None:
    repo = Repo(tmp_path / form, f"--object-format={form}")
    base = repo.commit("One", 1, {"a": "1"})
    second = repo.commit("Two", -2, {"a": "2"})
    repo.git("tag", "-a", "v1", "-m", "Notes", at=3)
    found = repo.scan(base=base)
    assert [(commit.sha, len(commit.files)) for commit in found.commits] == [(second, 1)]
    assert [release.tag for release in found.releases] == ["v1"]
    repo.git("commit", "-q", "--amend", "--no-edit", at=4)
    assert repo.scan(base=second).commits == ()
    source = LocalGit(form, root=tmp_path)
    assert (source.contains("v1", second), source.contains("v1", "f" * len(base))) == (True, False)


def test_names_are_mapped_as_the_branch_says(repo: Repo) -> None:
    repo.git("branch", "-m", "other")
    repo.commit("One", 1, {".mailmap": "Right Name <john@example.org>\n"})
    repo.git("branch", "main")
    (repo.path / ".mailmap").write_text("Work Tree <john@example.org>\n")
    repo.git("checkout", "-q", "--orphan", "elsewhere")
    repo.commit("Elsewhere", 2, {".mailmap": "Wrong Name <john@example.org>\n"})
    assert [commit.author.name for commit in repo.scan(branch="main").commits] == ["Right Name"]


def test_submodules_and_links_are_files_like_others(repo: Repo, tmp_path: Path) -> None:
    repo.commit("Start", -5)
    other = Repo(tmp_path / "other")
    sha = other.commit("Theirs", -9)
    for at, wanted in ((1, sha), (2, other.commit("Theirs, too", -8))):
        repo.git("update-index", "--add", "--cacheinfo", f"160000,{wanted},vendor/lib")
        repo.git("commit", "-q", "-m", f"Vendor {at}", at=at)
    (repo.path / "link").symlink_to("/etc/passwd")
    repo.git("add", "link")
    repo.git("commit", "-q", "-m", "Link", at=3)
    found = [[(f.path, f.status, f.additions) for f in commit.files] for commit in repo.scan().commits]
    assert found == [[("link", "added", 1)], [("vendor/lib", "modified", 1)], [("vendor/lib", "added", 1)]]


def test_files_too_large_to_compare_are_not_counted(repo: Repo) -> None:
    repo.commit("Start", -5, {"big.sql": b"line\n" * 4_000_000})
    repo.commit("Change", 1, {"big.sql": b"line\n" * 4_000_001, "small": "1\n"})
    [commit] = repo.scan().commits
    assert [(file.path, file.additions) for file in commit.files] == [("big.sql", None), ("small", 1)]


def raw_commit(repo: Repo, header: bytes, message: bytes) -> str:
    """A commit as no `git commit` would make it."""
    tree = repo.git("write-tree").encode()
    who = b"Jo <jo@example.org> %d +0000" % int((START + timedelta(hours=1)).timestamp())
    raw = b"tree %s\nauthor %s\ncommitter %s\n%s\n%s" % (tree, who, who, header, message)
    sha = repo.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", given=raw)
    repo.git("update-ref", "refs/heads/main", sha)
    return sha


@pytest.mark.parametrize(
    ("header", "message", "title"),
    [
        (b"encoding UTF-7\n", b"Before +AAA- after +AAAA- end", "Before"),
        (b"encoding ISO-8859-15\n", b"Preis: \xa4", "Preis: €"),
        (b"encoding no-such-thing\n", b"Gr\xfc\xdfe", "Grüße"),
        (b"", b"\xff\xfe broken", "ÿþ broken"),
        (b"", b"Cut\0here", "Cut"),
        (b"gpgsig -----BEGIN\n forged\n", b"Signed", "Signed"),
        (b"", b"\n\n  \nLate title", "Late title"),
    ],
)
def test_odd_messages_are_read(repo: Repo, header: bytes, message: bytes, title: str) -> None:
    repo.git("commit", "-q", "--allow-empty", "-m", "Start", at=-5)
    sha = raw_commit(repo, header, message)
    [commit] = repo.scan().commits
    assert (commit.sha, commit.author.name) == (sha, "Jo")
    assert commit.title.startswith(title)


def test_grafts_are_not_followed(repo: Repo) -> None:
    repo.commit("Start", -5)
    base = repo.commit("One", 1)
    head = repo.commit("Two", 2)
    grafts = repo.path / ".git" / "info" / "grafts"
    grafts.parent.mkdir(exist_ok=True)
    grafts.write_text(f"{head}\n")
    assert titles(repo.scan(base=base)) == ["Two"]
    assert titles(repo.scan()) == ["Two", "One"]
