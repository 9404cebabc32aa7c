"""Huey's consumer with the worker's own threads: a stop lets runs end, or hands them back."""

import logging
import os

from huey.consumer import Consumer

from tasks.worker import GRACE, current


class Service(Consumer):  # type: ignore[misc]
    """SIGTERM stops with grace, SIGINT at once; see `tasks.queue.worker_command`."""

    def start(self) -> None:
        logging.getLogger("huey").handlers.clear()  # its own says everything a second time
        current().start()
        super().start()

    def stop(self, graceful: bool = False) -> None:
        self.stop_flag.set()
        try:
            current().stop(GRACE if graceful else 0.0)
        except KeyboardInterrupt:  # asked once more, and now at once
            current().stop(0.0)
        super().stop(graceful)

    def run(self) -> None:
        """Until it is stopped. What still hangs in a call to the outside has been handed back by then: to
        wait for it, as Python does at its end, would keep the process for minutes."""
        status = 1
        try:
            super().run()
            status = 0
        finally:
            logging.shutdown()
            os._exit(status)
