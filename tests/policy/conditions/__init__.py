"""Tests of the conditions, one file each."""
