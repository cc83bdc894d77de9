"""The revisions. What a release has shipped is never changed again."""
