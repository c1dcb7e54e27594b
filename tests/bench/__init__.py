"""`python3 -m tests.bench`: how fast pysshd is, beside OpenSSH's sshd and an AsyncSSH server on the same machine."""
