"""Tests of pysshd.identity.host."""
