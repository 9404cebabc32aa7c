"""The user's list of what happened."""

from typing import Any

from flask_login import current_user
from sqlalchemy import CursorResult, select, update
from werkzeug.wrappers import Response

from blueprints import present, shapes, shapes_notices
from blueprints.api.frame import answer, api
from blueprints.api.operation import operation
from blueprints.api.reading import PageQuery, find, page, read_body, read_query
from blueprints.bodies_notices import PreferencesEdit
from blueprints.extensions import db
from blueprints.inputs import parse
from models import Notification
from pipeline import roundup
from pipeline.wishes import Wishes


@api.get("/notifications")
@operation("List notifications", answer=shapes.NotificationView, many=True, query=PageQuery)
def list_notifications() -> Response:
    mine = select(Notification).where(Notification.user_id == current_user.id)
    rows, following = page(mine, Notification, read_query(PageQuery))
    return answer([present.notification(row) for row in rows], count=len(rows), nextCursor=following)


@api.post("/notifications/<notification_id>/read")
@operation("Mark a notification as read", answer=shapes.NotificationView, errors=(409,))
def read_notification(notification_id: str) -> Response:
    row = find(Notification, notification_id)
    row.is_read = True
    db.session.commit()
    return answer(present.notification(row))


@api.post("/notifications/read-all")
@operation("Mark all notifications as read", answer=shapes.ReadAllView)
def read_all_notifications() -> Response:
    unread = update(Notification).where(Notification.user_id == current_user.id, ~Notification.is_read)
    done: CursorResult[Any] = db.session.execute(unread.values(is_read=True))  # type: ignore[assignment]
    db.session.commit()
    return answer({"read": done.rowcount})


@api.get("/notifications/preferences")
@operation("Read what you are told", answer=shapes_notices.PreferencesView)
def read_preferences() -> Response:
    return answer(present.preferences(current_user))


@api.patch("/notifications/preferences")
@operation("Change what you are told", answer=shapes_notices.PreferencesView, body=PreferencesEdit)
def edit_preferences() -> Response:
    given = parse(PreferencesEdit, read_body()).model_dump(exclude_unset=True)
    roundup.choose(
        db.session(), current_user, Wishes.of(current_user).changed(given.pop("events", {}), **given)
    )
    db.session.commit()
    return answer(present.preferences(current_user))
