"""Assembles the worker: `python -m huey.bin.huey_consumer tasks.consumer.huey`; `flask --app app worker`
knows the flags."""

import logging
from functools import partial

from lib import garbage
from lib.secrets import SecretBox
from lib.settings import load
from models.base import make_engine
from pipeline.adapters import Adapters
from tasks import deliver, queue, regenerate, run, schedule, worker  # noqa: F401  (each registers its task)
from tasks.mailer import make_sender
from tasks.service import Service

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
for chatty in ("huey", "httpx2", "urllib3"):
    logging.getLogger(chatty).setLevel(logging.WARNING)

settings = load()
queue.connect(settings)
worker.install(
    worker.Worker(
        settings=settings,
        engine=make_engine(
            settings.database_url,
            pool_size=2 * (settings.workers + worker.REWRITERS) + 10,
            max_overflow=0,  # what overflows is closed after each use, which costs more than it holds
            pool_use_lifo=True,  # few stay busy, whose statements are prepared
        ),
        adapters=Adapters(settings, SecretBox([key.get_secret_value() for key in settings.encryption_keys])),
        send=make_sender(settings),
    )
)
huey = queue.huey
huey.create_consumer = partial(Service, huey)
garbage.settle()
