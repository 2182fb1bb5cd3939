"""A promotion in real accounts, from creating a model to removing everything: `make aws`."""
