"""The review pages: nothing typed is lost, every button works without JavaScript, and what htmx swaps is
whole."""

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from pydantic import SecretStr

from models import Draft, DraftVersion, GivenBack, Project, Regeneration, Told
from models.values import ACTIVITY, Activity, Commit, Person, Window
from tests.blueprints.conftest import BORN, statements
from tests.blueprints.pages import Visitor, beside, step, text, value

CONTENT = "It is faster: [#42](https://github.com/o/n/pull/42) saw to that. Thanks to Jane."
CLAIMS = [
    {"text": "Faster", "refs": ["PR42"]},
    {"text": "It is faster: #42 saw to that.", "refs": ["PR42", "C1"]},
    {"text": "Thanks to Jane.", "refs": ["WINDOW"]},
]
SOURCES = [
    {
        "ref": "PR42",
        "kind": "pull",
        "title": "Make it <i>faster</i>",
        "url": "https://github.com/o/n/pull/42",
    },
    {"ref": "C1", "kind": "commit", "title": "Cache", "url": "javascript:alert(1)"},
]


@pytest.fixture
def user(rows):
    return rows.user()


@pytest.fixture
def visitor(app, user, clock) -> Visitor:
    return Visitor(app, user)


READ = Activity(
    "o/n",
    Window(BORN, BORN + timedelta(days=1)),
    commits=(Commit("c1", "Make it faster", Person("Jane"), BORN),),
)


@pytest.fixture
def execution(rows, user):
    execution = rows.execution(rows.job(rows.project(user)), summary="3 commits")
    step(rows, execution, "scan", status="COMPLETED", result=ACTIVITY.dump_python(READ, mode="json"))
    rows.add(Told(job_id=execution.job_id, kind="commit", key="c1", at=BORN))
    return execution


@pytest.fixture
def draft(rows, execution) -> Draft:
    platform = rows.platform(rows.get(Project, execution.project_id), "DEVTO")
    about = {"claims": CLAIMS, "sources": SOURCES, "platform_id": platform.id}
    return rows.draft(execution, "DEVTO", title="Faster", content=CONTENT, **about)


def at(draft: Draft, action: str = "") -> str:
    return f"/drafts/{draft.id}{action and '/'}{action}"


def form(**more: str) -> dict[str, str]:
    return {"version": "1", "title": "Faster", "subtitle": "", "content": CONTENT, "tags": "webdev"} | more


def part(response, opening: str) -> str:
    """One element of the page: from this to the end of its section."""
    return response.get_data(as_text=True).partition(opening)[2].partition("</section>")[0]


def test_beside_each_sentence_stands_what_it_rests_on(visitor, draft):
    page = visitor.get(at(draft))
    preview, sources = part(page, 'id="preview"'), part(page, 'id="sources"')
    assert (
        '<span class="claim" id="c2" data-claim="2">It is faster: <a href="https://github.com/o/n/' in preview
    )
    assert re.findall(r'<li id="s(\d)"', sources) == ["1", "2", "3"]
    assert "Make it &lt;i&gt;faster&lt;/i&gt;</a>" in sources
    assert "javascript" not in sources
    assert "The period itself" in sources
    assert "Yours" not in sources


def test_what_its_owner_wrote_is_marked_as_theirs(visitor, draft):
    changed = CONTENT.replace("Thanks to Jane.", "I like it a lot. Thanks to Jane.")
    assert "Saved." in visitor.follow(visitor.post(at(draft), form(content=changed)))
    page = visitor.get(at(draft))
    sources = part(page, 'id="sources"')
    assert sources.count("Yours: not checked") == 1
    assert '<span class="claim own" id="c3" data-claim="3">I like it a lot.</span>' in part(
        page, 'id="preview"'
    )
    assert "Saved as version 2" in text(page)


def test_a_draft_from_before_sources_were_kept(visitor, rows, execution):
    page = visitor.get(at(rows.draft(execution, "DEVTO")))
    assert "written before sources were kept" in text(page)


HOSTILE = """# <script>alert(1)</script>
<img src=x onerror=alert(1)> ![pixel](https://evil.example/p.png) [x](javascript:alert(1))
<style>body{display:none}</style> [ref]: https://evil.example "t"
<span class="claim" id="c1" data-claim="1">fake</span> <a href="#s1" onclick="x()">1</a>
<iframe src="https://evil.example"></iframe><svg onload=alert(1)><meta http-equiv=refresh content=0>
```html
<script src="https://evil.example/x.js"></script>
```
![a]("x" onerror="alert(1)) <https://evil.example/auto>
"""


@pytest.mark.parametrize("kind", ["HASHNODE", "DEVTO", "LINKEDIN"])
def test_whatever_the_text_nothing_of_it_runs_or_loads(visitor, rows, execution, kind):
    about = {"title": HOSTILE[:80], "subtitle": "<img src=//evil.example>", "tags": ["<b>", "'\"><script>"]}
    claims = [{"text": "alert(1)", "refs": ['"><script>']}, {"text": "<img src=//evil.example>", "refs": []}]
    source = {"ref": '"><script>', "kind": "pull", "title": "<script>", "url": "data:text/html,<script>"}
    draft = rows.draft(execution, kind, content=HOSTILE, claims=claims, sources=[source], **about)
    seen = Seen()
    seen.feed(visitor.get(at(draft)).get_data(as_text=True).partition("<main")[2])
    names = {name for name, _ in seen.elements}
    assert names.isdisjoint({"script", "img", "style", "iframe", "meta", "link", "object", "embed", "base"})
    for name, attributes in seen.elements:
        assert not [key for key in attributes if key.startswith("on") or key in ("src", "style", "srcset")], (
            name
        )
        address = attributes.get("href") or attributes.get("action") or ""
        assert not address.startswith(("javascript:", "data:"))
        assert name in ("a", "input") or not [one for one in attributes.values() if "evil" in (one or "")], (
            name
        )
    ids = [attributes["id"] for _, attributes in seen.elements if "id" in attributes]
    assert len(ids) == len(set(ids)), "a text made a mark of ours"


class Seen(HTMLParser):
    """The elements of a page, as a browser finds them."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))


def test_autosave_swaps_what_surrounds_the_form_and_not_the_form(visitor, rows, draft):
    response = visitor.post(at(draft, "autosave"), form(title="Much faster"), htmx=True)
    body = response.get_data(as_text=True)
    assert response.status_code == 200
    assert value(response, "version") == "2"
    for block in ("top", "notes", "preview", "sources", "counts", "versions"):
        assert re.search(rf'id="{block}"[^>]* hx-swap-oob="true"', body), block
    assert "<textarea" not in body
    assert "<b>11</b> of 128 characters in the title" in body
    assert rows.get(Draft, draft.id).title == "Much faster"


def test_an_autosave_that_comes_too_late_keeps_both(visitor, rows, draft):
    visitor.post(at(draft), form(content="Theirs."))
    response = visitor.post(at(draft, "autosave"), form(content="Mine."), htmx=True)
    body = response.get_data(as_text=True)
    assert response.status_code == 409
    assert "Not saved." in text(response)
    assert "changed elsewhere" in text(response)
    assert value(response, "version") == "1"  # so that no further autosave overwrites it unasked
    assert "hx-swap-oob" not in body
    assert rows.get(Draft, draft.id).content == "Theirs."
    saved = visitor.follow(visitor.post(at(draft), form(content="Mine.", over="2")))
    assert "Saved." in saved
    assert rows.get(Draft, draft.id).content == "Mine."
    assert "Theirs." in [row.content for row in rows.all(DraftVersion)], "what was saved over is kept"


def test_without_javascript_a_stale_save_keeps_what_was_typed(visitor, rows, draft):
    visitor.post(at(draft), form(content="Theirs."))
    response = visitor.post(at(draft), form(content="Mine.", title="My title"))
    assert response.status_code == 409
    assert "<textarea" in response.get_data(as_text=True)
    assert ">\nMine.</textarea>" in response.get_data(as_text=True)
    assert value(response, "title") == "My title"
    assert "changed elsewhere" in text(response)
    assert rows.get(Draft, draft.id).content == "Theirs."


@pytest.mark.parametrize(
    ("bad", "field", "said"),
    [
        ({"title": "x" * 501}, "title", "at most 500 characters"),
        ({"content": "a\x07b"}, "content", "control characters"),
        ({"tags": "a" * 101}, "", ""),
    ],
)
def test_what_cannot_be_kept_is_said_beside_its_field(visitor, rows, draft, bad, field, said):
    response = visitor.post(at(draft), form(**bad))
    assert response.status_code == 422
    if field:
        assert said in beside(response, field)
    assert rows.get(Draft, draft.id).version == 1
    response = visitor.post(at(draft, "autosave"), form(**bad), htmx=True)
    assert (response.status_code, "Not saved." in text(response)) == (422, True)


def test_what_breaks_a_limit_is_saved_said_and_not_approved(visitor, rows, draft):
    visitor.post(at(draft), form(tags="a, b, c, d, #e"))
    page = visitor.get(at(draft))
    assert "Dev.to will not take it as it is:" in text(page)
    assert rows.get(Draft, draft.id).tags == ["a", "b", "c", "d", "e"]
    response = visitor.post(at(draft, "approve"), form(version="2", tags="a, b, c, d, e"))
    assert response.status_code == 409
    assert "cannot be approved yet" in text(response)
    assert rows.get(Draft, draft.id).state == "DRAFT"


def test_approve_takes_along_what_is_typed(visitor, rows, draft):
    said = visitor.follow(visitor.post(at(draft, "approve"), form(content="The last word.")))
    stored = rows.get(Draft, draft.id)
    assert (stored.state, stored.version, stored.content) == ("APPROVED", 2, "The last word.")
    assert "Version 2 is approved." in said
    page = visitor.get(at(draft))
    assert "Version 2 was approved" in text(page)
    assert 'id="edit"' not in page.get_data(as_text=True)
    assert "waits for review again" in visitor.follow(visitor.post(at(draft, "reopen"), {"version": "2"}))
    assert rows.get(Draft, draft.id).state == "DRAFT"


def test_enter_in_a_field_saves_and_does_not_approve(visitor, draft):
    """A browser presses the form's first button of the page."""
    body = visitor.get(at(draft)).get_data(as_text=True)
    first = re.search(r'<button[^>]*form="edit"[^>]*>', body)[0]
    assert "formaction" not in first


def test_reject_and_tell_again(visitor, rows, draft):
    assert "The draft is rejected." in visitor.follow(visitor.post(at(draft, "reject"), form()))
    page = visitor.get(at(draft))
    assert "Tell again" in text(page)
    said = visitor.follow(visitor.post(at(draft, "give-back")))
    assert "1 item given back: the job's next run tells them again." in said
    assert [row.key for row in rows.all(GivenBack)] == ["c1"]
    assert "What it told was given back to its job." in text(visitor.get(at(draft)))
    assert "Tell again" not in text(visitor.get(at(draft)))
    assert "reject" in visitor.follow(visitor.post(at(draft, "give-back"))).lower()


def test_write_anew_is_live_until_it_has_ended(visitor, rows, draft, bells):
    order = {"instruction": "Shorter.", "content": "Typed."}
    assert "being written anew" in visitor.follow(visitor.post(at(draft, "regenerate"), form(**order)))
    [row] = rows.all(Regeneration)
    assert (row.instruction, row.from_version, bells()) == ("Shorter.", 2, [("regenerate", (row.id,))])
    assert rows.get(Draft, draft.id).content == "Typed."
    page = visitor.get(at(draft))
    poll = re.search(
        r'hx-get="(/drafts/[^"]*/order\?v=[^"]*)" hx-trigger="every', page.get_data(as_text=True)
    )[1]
    assert "waits for a free worker" in text(page)
    assert visitor.get(poll, htmx=True).status_code == 204
    assert "stays as it is" in visitor.follow(visitor.post(at(draft, "regenerate/cancel"), {"version": "2"}))
    ended = visitor.get(poll, htmx=True)
    assert "hx-trigger" not in ended.get_data(as_text=True)
    assert "You cancelled it" in text(ended)
    assert "</html>" not in ended.get_data(as_text=True)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"status": "RUNNING", "attempt": 1}, "is being written"),
        (
            {"status": "QUEUED", "attempt": 1, "error": "It is busy."},
            "Try 1 of 3 did not succeed: It is busy.",
        ),
        ({"status": "FAILED", "error": "Refused.", "completed_at": BORN}, "Refused."),
        (
            {"status": "FAILED", "error": "Kept.", "version": 2, "completed_at": BORN},
            "Compare with version 2",
        ),
        ({"status": "COMPLETED", "version": 2, "completed_at": BORN}, "Version 2 is the new text."),
        ({"status": "COMPLETED", "version": 1, "completed_at": BORN}, "the same text again"),
    ],
)
def test_each_way_in_which_writing_anew_stands(visitor, rows, draft, values, said):
    rows.add(Regeneration(draft_id=draft.id, from_version=1, **values))
    assert said in text(visitor.get(at(draft)))


def test_only_a_model_is_asked_for_something_else(app, visitor, draft):
    assert "follows no instructions" in text(visitor.get(at(draft)))
    chosen = app.extensions["repocast"]
    app.extensions["repocast"] = chosen.model_copy(update={"openai_api_key": SecretStr("key")})
    page = visitor.get(at(draft))
    assert '<textarea id="f-instruction"' in page.get_data(as_text=True)
    assert "follows no instructions" not in text(page)


def test_versions_are_compared_and_restored(visitor, rows, draft, clock):
    visitor.post(at(draft), form(content=CONTENT.replace("faster", "quicker"), title="Quicker"))
    page = visitor.get(at(draft, "compare?old=1&new=2"))
    body = page.get_data(as_text=True)
    assert "<del>faster</del><ins>quicker</ins>" in body.replace(" </del>", "</del>").replace(
        " </ins>", "</ins>"
    )
    assert "<del>Faster</del><ins>Quicker</ins>" in body
    assert text(visitor.get(at(draft, "compare?old=2&new=2"))).count("the same, word for word") == 1
    for wrong in ("old=9", "old=x", "new=0", "old=99999999999999"):
        assert visitor.get(at(draft, f"compare?{wrong}")).status_code == 404
    sent = form(version="2", title="Quicker", content=CONTENT.replace("faster", "quicker"))
    assert "Version 1 is the text again." in visitor.follow(visitor.post(at(draft, "restore/1"), sent))
    assert rows.get(Draft, draft.id).title == "Faster"
    assert visitor.post(at(draft, "restore/7"), form(version="3")).status_code == 409


def test_the_list_is_filtered_by_its_address(visitor, rows, user, execution):
    other = rows.execution(rows.job(rows.project(user), name="Weekly"))
    rows.draft(execution, "DEVTO", title="One")
    rows.draft(execution, "LINKEDIN", title="", content="Two\nmore")
    rows.draft(other, "DEVTO", title="Three", state="APPROVED")
    page = visitor.get("/drafts")
    assert "2 drafts wait for your review." in text(page)
    for words in ("Waits for review 2", "Approved 1", "Dev.to 2", "LinkedIn 1", "Weekly 1"):
        assert words in text(page)
    both = visitor.get("/drafts?state=DRAFT&platform=DEVTO")
    assert "One" in text(both)
    assert "Three" not in text(both)
    assert "Waits for review 1" in text(both)  # beside the other filters
    assert f'href="/drafts?platform=DEVTO&amp;job={other.job_id}"' not in both.get_data(as_text=True)
    assert f'href="/drafts?state=DRAFT&amp;platform=DEVTO&amp;job={other.job_id}"' in both.get_data(
        as_text=True
    )
    assert "Three" in text(visitor.get(f"/drafts?job={other.job_id}"))
    assert "No draft matches" in text(visitor.get("/drafts?state=PUBLISHED"))


@pytest.mark.parametrize("count", [1, 3, 21])
def test_the_list_has_a_fixed_number_of_queries(visitor, rows, execution, queries, count):
    for _ in range(count):
        rows.draft(execution, "DEVTO")
    queries.clear()
    page = visitor.get("/drafts")
    assert statements(queries) == 5
    assert ("Older drafts" in text(page)) == (count > 20)


def test_a_page_has_a_fixed_number_of_queries(visitor, rows, draft, queries):
    rows.add(DraftVersion(draft_id=draft.id, number=1, made_by="MODEL", title="", content="a"))
    found = []
    for number in (2, 3, 4):
        rows.add(DraftVersion(draft_id=draft.id, number=number, made_by="USER", title="", content="b"))
        queries.clear()
        visitor.get(at(draft))
        found.append(statements(queries))
    assert len(set(found)) == 1


def test_facts_of_a_model(visitor, rows, execution):
    usage = {
        "model": "gpt-5-mini",
        "prompt_tokens": 3120,
        "completion_tokens": None,
        "seconds": 4.25,
        "calls": 2,
    }
    page = text(visitor.get(at(rows.draft(execution, "DEVTO", usage=usage))))
    assert "Model gpt-5-mini Tokens Not told by the server Cost Not known" in page
    assert "Written in 4s, 2 calls" in page


def test_a_file_to_take_along(visitor, draft):
    response = visitor.get(at(draft, "export"))
    assert response.headers["Content-Disposition"] == 'attachment; filename="faster.md"'
    assert 'title: "Faster"' in response.get_data(as_text=True)


def test_a_folded_post(visitor, rows, execution):
    draft = rows.draft(execution, "LINKEDIN", title="", content="word " * 60)
    preview = part(visitor.get(at(draft)), 'id="preview"')
    before = preview.partition('<span class="fold">')[0].rpartition("as-is")[2]
    assert before.endswith("word ")
    assert 100 < before.count("word") * 5 <= 140
    short = rows.draft(execution, "LINKEDIN", title="", content="word")
    assert "see more" not in text(visitor.get(at(short)))


def test_others_see_and_change_nothing(app, rows, draft, clock):
    stranger = Visitor(app, rows.user())
    for path in ("", "order", "compare", "export"):
        assert stranger.get(at(draft, path)).status_code == 404
    for path in ("", "autosave", "approve", "reject", "reopen", "regenerate", "restore/1", "give-back"):
        assert stranger.post(at(draft, path), form()).status_code == 404
    assert Visitor(app).get(at(draft)).status_code == 303
    assert rows.get(Draft, draft.id).version == 1


def test_every_change_needs_its_token(visitor, rows, draft):
    for path in ("", "autosave", "approve", "give-back"):
        assert visitor.post(at(draft, path), form(), token="wrong").status_code == 400
    assert rows.get(Draft, draft.id).state == "DRAFT"


def test_a_long_time_ago(visitor, rows, execution, clock):
    at_last = clock.now() - timedelta(days=2)
    draft = rows.draft(execution, "DEVTO", state="APPROVED", decided_at=at_last)
    assert "Version 1 was approved 2 days ago." in text(visitor.get(at(draft)))
