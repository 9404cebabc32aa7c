"""How Alembic reaches the database: through the application's own engine and metadata."""

from alembic import context
from flask import current_app


def run() -> None:
    """Run the wanted migrations in one transaction each."""
    extension = current_app.extensions["migrate"]
    with extension.db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=extension.db.metadatas[None],
            transaction_per_migration=True,
            **extension.configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
