"""What each platform's writer is shown, and whether there is enough of it: the window's digest, and for a
platform to which something was given back, that as well."""

from models.values import Activity, Digest
from pipeline import givenback, joining, scan
from pipeline.brief import digest_for
from pipeline.hold import engine_of
from pipeline.significance import is_due, too_little
from pipeline.story import Story, still_told

Digests = dict[str, Digest]
"""By platform id."""


def digests(story: Story, activity: Activity) -> Digests:
    """By the platforms that miss a post; none for whom nothing is worth telling. `story.too_little` says so
    where there would be something, and it is carried over instead.

    What was given back counts as worth telling: then the window is told to the other platforms, too, for it
    is told to all of them or to none.
    """
    told = _told_of_it(story, activity)
    window = digest_for(activity, story.job, story.project, told)
    shown, come_back = {}, False
    for platform in story.missing:
        given = story.given.get(platform.id)
        own = window
        if given is not None:
            both = still_told(givenback.merged(activity, given), story.project)
            own = digest_for(both, story.job, story.project, told)
        come_back = come_back or own.items != window.items
        if own.items:
            shown[platform.id] = own
    if come_back or story.posts or _is_open(story, activity):
        return shown
    story.too_little = too_little(window, story.job.significance)
    return {} if story.too_little else shown


def _is_open(story: Story, activity: Activity) -> bool:
    """Whether everything is told, however little: who presses a button wants to see something, and nothing is
    carried over for ever."""
    gated = story.by_itself and story.execution.moves_cursor
    return not gated or is_due(story.job.carried_since, activity.window)


def _told_of_it(story: Story, activity: Activity) -> scan.Keys:
    """What earlier runs told of things that lie partly in this window, such as a pull request whose commits
    came late; nothing in a run that tells again what was told."""
    asked = joining.asked(activity) if story.execution.tell_since is None else set()
    if not asked:
        return set()
    # A retry of single platforms tells what its first run did, which counts as told by now.
    until = activity.window.until if story.execution.retry_of else None
    engine = engine_of(story.session)
    return scan.told_before_elsewhere(engine, story.job.id, story.hold.patiently, asked, until)
