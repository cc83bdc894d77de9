"""What Alembic runs. `bot.store.schema` hands over the connection; nothing is read from files or the environment."""

from alembic import context

from bot.store.schema import configured

configured(context, context.config.attributes["connection"])
context.run_migrations()
