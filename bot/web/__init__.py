"""One Starlette application for everything that speaks HTTP to Tocsin."""
