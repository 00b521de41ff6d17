"""Files of rows scored with a release: read in pieces, checked as in training, written whole or not at all."""
