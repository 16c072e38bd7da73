"""A self-hostable screening registry in which no list of names exists outside the organisation that entered them."""

__version__ = "0.1.0"
