"""Labelled pictures: read, corrected, split, augmented and made into batches."""
