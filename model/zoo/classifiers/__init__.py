"""Methods of two stages: a finder of faces, and a classifier that says how the mask of each is worn."""
