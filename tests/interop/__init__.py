"""Other people's clients against our daemon: each logs in, runs commands and moves data."""
