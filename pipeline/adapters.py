"""Builds the adapters that a run needs from rows and settings: the one place where a stored secret is
opened.

What speaks HTTP is imported when it is first asked for, and so are the writers: with `requests` it weighs
5 MB, which a resting worker does without, and so does the web process without the ledger of claims.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property

from lib.codes import Code
from lib.errors import OutsideError
from lib.links import Links
from lib.secrets import SecretBox
from lib.settings import Settings
from models import Job, Project
from pipeline.tariff import Tariff
from sources.base import Caps, Source
from sources.check import Checked
from sources.git import LocalGit, resolve
from sources.git_check import check as check_git
from writers.base import Writer
from writers.fallback import FallbackWriter

NO_MODEL = (
    "The job's posts are to be written by the model, and no OPENAI_API_KEY is set: set one, or choose another"
    " writer in the job."
)


class SetupError(OutsideError):
    """The job cannot run as it is set up; waiting does not mend it."""

    def __init__(self, message: str, code: Code | None = None) -> None:
        super().__init__(message, permanent=True, code=code)


@dataclass
class Adapters:
    """`patience` is how many seconds an attempt may spend in all on retrying single platforms while others
    succeeded."""

    settings: Settings
    secrets: SecretBox
    patience: float = field(default=60.0)

    @property
    def base_url(self) -> str:
        return self.settings.base_url

    def approval(self, draft_id: str, version: int) -> str:
        """Where this version of a draft can be approved by whoever gets the mail."""
        return Links(self.base_url, self.settings.secret_key.get_secret_value()).approval(draft_id, version)

    @cached_property
    def tariff(self) -> Tariff:
        """What the model costs."""
        return Tariff.of(self.settings)

    def source(self, project: Project) -> Source:
        """The project's repository. Raises SetupError, SourceError or SecretError."""
        if project.source_type == "GIT":
            path = resolve(project.git_path or "", self.settings.git_root)
            caps = replace(self._caps, details=self._caps.commits)  # no request is spent on a commit here
            return LocalGit(path, root=self.settings.git_root, branch=project.github_branch, caps=caps)
        if not project.github_repo_owner or not project.github_repo_name:
            raise SetupError(
                "The project names no repository: enter its owner and name.", Code.REPOSITORY_UNNAMED
            )
        from sources.github import GitHub

        return GitHub(
            api_url=self.settings.github_api_url,
            owner=project.github_repo_owner,
            name=project.github_repo_name,
            branch=project.github_branch,
            token=self._github_token(project),
            caps=self._caps,
        )

    @cached_property
    def _caps(self) -> Caps:
        chosen = self.settings
        return Caps(chosen.scan_commits, chosen.scan_details, chosen.scan_files, chosen.scan_text)

    def check(self, project: Project) -> Checked:
        """One look at the project's repository, ten seconds at most. Raises SecretError."""
        if project.source_type == "GIT":
            return check_git(project.git_path or "", self.settings.git_root, project.github_branch)
        from sources.github_check import check

        return check(
            self.settings.github_api_url,
            project.github_repo_owner or "",
            project.github_repo_name or "",
            branch=project.github_branch,
            token=self._github_token(project),
            known_id=project.github_id,
        )

    def writer_for(self, job: Job) -> Writer:
        """Who writes the job's posts, as `job.writer` and `job.falls_back` say. Raises SetupError where the
        model is to write and there is no key for it."""
        if job.writer == "TEMPLATE":
            return self._template
        if job.writer == "MODEL" and self._model is None:
            raise SetupError(NO_MODEL, Code.MODEL_NOT_SET)
        return self._either if job.falls_back else self.writer

    # One of each for all runs: they are safe to share.

    @cached_property
    def writer(self) -> Writer:
        """The model when there is a key for it, else the template writer."""
        return self._model or self._template

    @cached_property
    def _template(self) -> Writer:
        from writers.template import TemplateWriter

        return TemplateWriter()

    @cached_property
    def _either(self) -> Writer:
        return FallbackWriter(self._model, self._template) if self._model else self._template

    @cached_property
    def _model(self) -> Writer | None:
        """None without a key for it."""
        settings = self.settings
        if settings.openai_api_key is None:
            return None
        from writers.llm import LlmWriter

        return LlmWriter(
            api_key=settings.openai_api_key.get_secret_value(),
            base_url=settings.openai_base_url,
            model=settings.openai_model,
        )

    def _github_token(self, project: Project) -> str | None:
        if project.github_token:
            return self.secrets.open(project.github_token)
        token = self.settings.github_token
        return token.get_secret_value() if token else None
