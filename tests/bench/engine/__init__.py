"""The policy engine, measured without a server: large documents, varied requests, and the worst of patterns."""
