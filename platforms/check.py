"""What all platforms check alike."""

from lib import words
from models.values import PlatformRules, Post


def check_title(post: Post, rules: PlatformRules) -> list[str]:
    """The sentence for a title that is missing, too long, or not one line."""
    if not post.title.strip():
        return ["The title is missing."]
    if len(post.title) > rules.title_max:
        return [f"{rules.name} takes a title of at most {rules.title_max} characters, not {len(post.title)}."]
    if words.one_line(post.title) != post.title:
        return ["The title must be one line without control characters or doubled spaces."]
    return []


def check_size(post: Post, rules: PlatformRules) -> list[str]:
    """The sentence for content that is missing or too long, counted as the platform counts."""
    if not post.content.strip():
        return ["The post is empty."]
    size = words.utf16(post.content) if rules.utf16 else len(post.content)
    if size > rules.content_max:
        return [f"{rules.name} takes at most {rules.content_max:,} characters, not {size:,}."]
    return []
