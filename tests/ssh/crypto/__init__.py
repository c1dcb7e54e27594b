"""Tests of the algorithms and keys."""
