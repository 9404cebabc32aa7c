"""A project's page, whoever shows it: after a look, a test, or a mistake in one of its forms."""

from typing import Any

from flask import render_template

from blueprints import forms, pages_cards, pages_connection, project_webhook, view, voice
from blueprints.access import settings
from blueprints.disclosure import disclosed
from lib.words import plural
from models import Project
from platforms import NAMES

PAGE = "projects/page.html"
CREDENTIALS = {
    "HASHNODE": (("token", "Personal access token"), ("publicationId", "Publication ID")),
    "DEVTO": (("apiKey", "API key"),),
    "LINKEDIN": (("accessToken", "Access token"),),
}


def page(
    project: Project,
    errors: dict[str, forms.Errors],
    tested: pages_connection.Tested | None = None,
    typed: forms.Form | None = None,
) -> str:
    """`errors`: of a platform's form, by its type, and `typed` what was typed there."""
    cards = pages_cards.cards_of(project)
    return render_template(
        PAGE,
        cards=cards,
        truth=_truth(project, len(cards)),
        platforms={platform.type: platform for platform in project.platforms},
        disclosures={platform.type: disclosed(platform) for platform in project.platforms},
        names=NAMES,
        credentials=CREDENTIALS,
        webhook=project_webhook.section(project),
        errors=errors,
        typed=typed,
        voice=voice.in_a_few_lines(project.voice),
        **repository(project, tested),
    )


def repository(project: Project, tested: pages_connection.Tested | None) -> dict[str, Any]:
    """What the page's part about the repository shows."""
    common = settings().github_token is not None
    return {
        "project": project,
        "synced": view.exactly(project.last_synced_at, "UTC") if project.last_synced_at else None,
        "connection": pages_connection.connection(project, has_common_token=common),
        "tested": tested,
    }


def _truth(project: Project, job_count: int) -> str:
    names = [NAMES[p.type] for p in project.platforms if p.is_connected]
    if not names:
        return "No platform is connected, so nothing can be written: connect one below."
    if not job_count:
        return f"Ready to write for {plural(len(names), 'platform')}: schedule its first job."
    return f"{plural(job_count, 'job')} {'writes' if job_count == 1 else 'write'} for {', '.join(names)}."
