"""One revision a module, in their order; each goes up and down on both databases."""
