"""What is measured: each file knows how to take one kind of figure of one running server."""
