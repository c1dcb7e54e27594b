"""The gates that every change passes, and what builds the ground that they stand on. Standard library only."""
