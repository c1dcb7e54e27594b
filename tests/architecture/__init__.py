"""Tests of the shape of the house: rooms, layers, purity, and how lean the lean processes are."""
