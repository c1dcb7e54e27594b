"""Tests of people, keys and passwords."""
